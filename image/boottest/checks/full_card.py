"""With the data partition full the box goes on recording, says so at the broker, in its log and by the light, and is well again when there is room."""
import os

from box import CAPTURE, expect, wait_for
from checks.bad_day_seen import SECONDS, flashes, is_flashing
from ledger import all_in
from traffic import Feed, everyday


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
        seen = []
        with Feed(box.span):
            expect(wait_for(lambda: seen.append(flashes(box.machine)) or is_flashing(seen[-1]), 90, every=0.1), f'the alert light does not flash: on and changes in {SECONDS} s: {seen}')
        log = wait_for(lambda: box.guest.run('journalctl -b -u nfr.service -o cat --no-pager | grep -E " left of |is full" | tail -n 1; true').strip(), 90)
        expect(log, 'the log does not say that the card is full')
        box.machine.display.save(os.path.join(box.folder, 'full-card.png'))
    finally:
        box.guest.run('rm -f /data/full /data/full2')
    mark = box.broker.mark()
    well = box.broker.wait('health', 180, after=mark, that=lambda message: not full(message))
    expect(well, 'with room again, the trouble stayed for 180 s')
    expect(wait_for(lambda: box.ports()[CAPTURE]['open'], 10), 'the capture port is closed')
    return f'{packets}; told at the broker: "{words}"; the alert light flashes ({seen[-1][1]} changes in {SECONDS} s); the log: "{log[30:]}"'
