"""With the data partition full the box goes on recording, says so, and is well again when there is room."""
from box import CAPTURE, expect, wait_for
from ledger import all_in
from traffic import everyday


def full(message):
    """What the heartbeat says of room; a word on how long the card will last is not meant."""
    return [trouble['what'] for trouble in message.json['troubles'] if trouble['place'] in ('disk', 'spool') and any(word in trouble['what'] for word in ('full', ' left of ', 'cannot be written'))]


def check(box):
    box.guest.run('fallocate -l $(($(df --output=avail -B1 /data | tail -n 1) - 65536)) /data/full || dd if=/dev/zero of=/data/full bs=1M 2>/dev/null; dd if=/dev/zero of=/data/full2 bs=4k 2>/dev/null; true', 300)
    mark = box.broker.mark()
    try:
        packets = all_in(box, everyday(2000), 300, 'with a full card ')
        expect(box.guest.unit('nfr.service', 'ActiveState')['ActiveState'] == 'active', 'the sensor stopped')
        told = box.broker.wait('health', 120, after=mark, that=full)
        expect(told, 'no heartbeat within 120 s says that the card is full')
        words = '", "'.join(full(told))
    finally:
        box.guest.run('rm -f /data/full /data/full2')
    mark = box.broker.mark()
    well = box.broker.wait('health', 180, after=mark, that=lambda message: not full(message))
    expect(well, 'with room again, the trouble stayed for 180 s')
    expect(wait_for(lambda: box.ports()[CAPTURE]['open'], 10), 'the capture port is closed')
    return f'{packets}; told at the broker: "{words}"'
