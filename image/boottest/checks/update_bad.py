"""An update whose sensor does not run goes back by itself, and the box says so."""
from box import expect

PARTITIONS = {'a': 2, 'b': 3}


def check(box):
    before = box.guest.run('/usr/lib/nfr/nfr-slot booted').strip()
    said = box.guest.try_run(f'nfr update {box.bundles.serve(box.bundles.bad())}', 1500)
    why = box.rebooted(180)
    expect(why == 'guest-reset', f'the box did not reboot into the update ({why}): {said.out}{said.error}')
    starts = 0
    # Twice at most: the trial itself, and the start that finds its one attempt used up and asks for the lasting slot.
    while box.power_on() != PARTITIONS[before]:
        starts += 1
        expect(starts < 3, f'slot {before} was not booted again after {starts - 1} starts of the broken system')
        why = box.rebooted(900)
        expect(why == 'guest-reset', f'the broken system did not go back by itself within 900 s ({why})')
    expect(starts, 'the update was not tried')
    expect(box.wait_recording() is not None, 'the box that went back does not record')
    after = box.guest.run('/usr/lib/nfr/nfr-slot booted').strip()
    expect(after == before, f'slot {after} runs, not {before}')
    state = box.guest.run('/usr/lib/nfr/nfr-slot state').strip()
    expect('try=-' in state and f'good={before}' in state, f'slots: {state}')
    words = box.guest.run('nfr update status').strip()
    expect('back' in words or 'fail' in words, f'"nfr update status" says: {words}')
    expect('sensor' in words, f'"nfr update status" does not say that it was the sensor: {words}')
    return f'back in slot {after} after {starts} starts of the broken system; {words.splitlines()[-1]}'
