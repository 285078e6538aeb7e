"""The plug is pulled in the middle of writing, twice, once by "poweroff -ff": it comes up clean, and every event that was in the spool at the last look is in it still."""
import json
import time

from box import expect
from traffic import Feed


def spooled(box):
    """What lies in the spool, as it is exported: type, sequence number and all of the event."""
    lines = map(json.loads, box.guest.run('nfr spool export', 300).splitlines())
    return {(line['type'], line['sequence'], json.dumps(line['event'], sort_keys=True)) for line in lines}


def check(box):
    details = []
    for how in ('plug', 'poweroff -ff'):
        with Feed(box.span, 300):
            time.sleep(20)
            before = spooled(box)
            expect(before, 'nothing lies in the spool')
            if how == 'plug': box.cut()
            else:
                box.guest.try_run('nohup sh -c "sleep 0.2; poweroff -ff" >/dev/null 2>&1 &', 30)
                expect(box.rebooted(60), 'the box did not go off')
        box.power_on()
        seconds = box.wait_recording()
        expect(seconds is not None, f'after {how} it did not record again')
        after = spooled(box)
        gone = before - after
        expect(not gone, f'after {how}: {len(gone)} of {len(before)} events are gone, such as {next(iter(gone), "")}')
        quarantine = box.guest.status()['spool']['quarantine']
        expect(quarantine == 0, f'after {how}: {quarantine} files are in quarantine')
        notes = box.guest.run('cat /run/nfr-boot/notes 2>/dev/null || true').strip()
        details.append(f'{how}: all of {len(before)} events are there, {len(after) - len(before)} came after the look; recording at {seconds:.0f} s{", " + notes if notes else ""}')
    failed = box.guest.run('systemctl list-units --failed --plain --no-legend').strip()
    expect(not failed, f'units failed: {failed}')
    return '; '.join(details)
