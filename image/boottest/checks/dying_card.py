"""The card stops taking writes, as a worn-out one does: the box goes on recording, says so at the broker, by SSH and by the light, and is well after a change of power."""
from box import CAPTURE, expect, wait_for
from ledger import all_in
from traffic import everyday


def refused(message):
    return [trouble['what'] for trouble in message.json['troubles'] if trouble['place'] in ('disk', 'spool') and any(word in trouble['what'] for word in ('cannot be written', 'read-only'))]


def check(box):
    mark = box.broker.mark()
    # What ext4 does by itself at the first failed write (errors=remount-ro): every file system on the card is read-only from here on.
    box.guest.run('echo u > /proc/sysrq-trigger')
    expect(wait_for(lambda: ' ro,' in box.guest.run('grep " /data " /proc/mounts'), 30), '/data can still be written')
    packets = all_in(box, everyday(2000), 300, 'with a card that takes no writes ')
    expect(box.guest.unit('nfr.service', 'ActiveState')['ActiveState'] == 'active', 'the sensor stopped')
    told = box.broker.wait('health', 150, after=mark, that=refused)
    expect(told, f'no heartbeat within 150 s says that the card takes no writes, but {sorted({trouble["what"] for message in box.broker.of("health", mark) for trouble in message.json["troubles"]})}')
    lights = ', '.join(f'{name.removeprefix("nfr:")} {on:.0%}/{changes}' for name, (on, changes) in box.machine.watch_lights(6).items())
    box.cut()
    box.power_on()
    expect(box.wait_recording() is not None, 'after a change of power it did not record')
    expect(wait_for(lambda: box.ports()[CAPTURE]['open'], 30), 'the capture port is closed')
    mark = box.broker.mark()
    expect(box.broker.wait('health', 120, after=mark, that=lambda message: not refused(message)), 'after a change of power the trouble stayed for 120 s')
    return f'{packets}; told at the broker: "{refused(told)[0]}"; lights, on and changes in 6 s: {lights}; well after a change of power'
