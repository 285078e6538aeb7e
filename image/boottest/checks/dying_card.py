"""The card fails every write, as a worn-out one does: the box goes on recording, says so at the broker, by SSH, in its log and by the lights, and is well after a change of power."""
import os

from box import CAPTURE, expect, wait_for
from ledger import all_in
from traffic import Feed, everyday


def refused(message):
    return [trouble['what'] for trouble in message.json['troubles'] if trouble['place'] in ('disk', 'spool') and any(word in trouble['what'] for word in ('cannot be written', 'read-only'))]


def check(box):
    mark = box.broker.mark()
    box.machine.refuse_writes()
    packets = all_in(box, everyday(2000), 300, 'with a card that takes no writes ')
    expect(wait_for(lambda: box.guest.try_run('echo x > /data/x && sync /data/x').code, 60), '/data can still be written')
    expect(box.guest.unit('nfr.service', 'ActiveState')['ActiveState'] == 'active', 'the sensor stopped')
    told = box.broker.wait('health', 150, after=mark, that=refused)
    expect(told, f'no heartbeat within 150 s says that the card takes no writes, but {sorted({trouble["what"] for message in box.broker.of("health", mark) for trouble in message.json["troubles"]})}')
    seen = []
    with Feed(box.span):
        # Steadily: the box has a fault. Blinking would be an alert, which somebody has acknowledged by now.
        expect(wait_for(lambda: seen.append(box.machine.watch_lights(6)) or seen[-1]['nfr:alert'][0] > 0.95, 90, every=0.1), f'the alert light is not steadily on: {seen[-1]}')
    lights = ', '.join(f'{name.removeprefix("nfr:")} {on:.0%}/{changes}' for name, (on, changes) in seen[-1].items())
    log = wait_for(lambda: box.guest.run('journalctl -b -u nfr.service -o cat --no-pager | grep -E "spool: .*(refuses|cannot be written)|read-only" | tail -n 1; true').strip(), 90)
    expect(log, 'the log does not say that the card takes no writes')
    box.machine.display.save(os.path.join(box.folder, 'dying-card.png'))
    box.cut()
    box.power_on()
    expect(box.wait_recording() is not None, 'after a change of power it did not record')
    expect(wait_for(lambda: box.ports()[CAPTURE]['open'], 30), 'the capture port is closed')
    mark = box.broker.mark()
    expect(box.broker.wait('health', 120, after=mark, that=lambda message: not refused(message)), 'after a change of power the trouble stayed for 120 s')
    return f'{packets}; told at the broker: "{refused(told)[0]}"; lights, on and changes in 6 s: {lights}; the log: "{log[30:]}"; well after a change of power'
