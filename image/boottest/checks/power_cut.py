"""The plug is pulled in the middle of writing, twice, once by "poweroff -f": it comes up clean, and nothing is lost that was spooled before."""
import threading

from box import expect
from traffic import everyday


def spooled(box):
    """(first number kept, next number) of the spool, by sequence number, as "nfr status" counts them: in it, delivered, evicted."""
    spool = box.guest.status()['spool']
    return spool['inSpool']


def check(box):
    details = []
    for how in ('plug', 'poweroff -f'):
        stop = threading.Event()

        def feed():
            while not stop.is_set(): box.span.send(everyday(400), 300)
        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            import time
            time.sleep(20)
            before = spooled(box)
            if how == 'plug': box.cut()
            else:
                box.guest.try_run('nohup sh -c "sleep 0.2; poweroff -ff" >/dev/null 2>&1 &', 30)
                why = box.rebooted(60)
                expect(why, 'the box did not go off')
        finally:
            stop.set()
            feeder.join()
        box.power_on()
        seconds = box.wait_recording()
        expect(seconds is not None, f'after {how} it did not record again')
        status = box.guest.status()
        after = status['spool']['inSpool']
        expect(after >= before, f'after {how}: {before} events were spooled, {after} are')
        expect(status['spool']['quarantine'] == 0, f'after {how}: {status["spool"]["quarantine"]} files are in quarantine')
        notes = box.guest.run('cat /run/nfr-boot/notes 2>/dev/null || true').strip()
        details.append(f'{how}: {before} events before, {after} after, recording at {seconds:.0f} s{", " + notes if notes else ""}')
    failed = box.guest.run('systemctl list-units --failed --plain --no-legend').strip()
    expect(not failed, f'units failed: {failed}')
    return '; '.join(details)
