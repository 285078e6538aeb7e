"""nfr.txt is gone from the card, then there but full of zeros: the box is who it was, can be reached as before, and says so."""
from box import NAME, expect


def check(box):
    text = box.card.read(1, 'nfr.txt')
    words = []
    try:
        for what, change in (('gone', lambda: box.card.delete(1, 'nfr.txt')), ('rotten', lambda: box.card.write(1, 'nfr.txt', bytes(3000)))):
            box.cut()
            change()
            box.power_on()
            expect(box.wait_recording() is not None, f'with nfr.txt {what} it did not record, or is not reached by the SSH key that it had')
            name = box.guest.run('hostname').strip()
            expect(NAME in name, f'with nfr.txt {what} its name is {name}')
            said = box.guest.run('cat /run/nfr-boot/faults').strip()
            expect('stays in force' in said, f'with nfr.txt {what} it says: {said}')
            mark = box.broker.mark()
            told = box.broker.wait('health', 120, after=mark, that=lambda message: any('nfr.txt' in trouble['what'] for trouble in message.json['troubles']))
            expect(told, f'with nfr.txt {what} no heartbeat within 120 s names it')
            words.append(f'{what}: "{said}"')
    finally:
        box.cut()
        box.card.write(1, 'nfr.txt', text)
        box.power_on()
        box.wait_recording()
    return '; '.join(words)
