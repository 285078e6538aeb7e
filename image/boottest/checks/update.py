"""A good update goes to the other slot, is tried, and lasts once its sensor is well."""
import time

from box import expect, wait_for


def check(box):
    began = time.monotonic()
    before = box.guest.run('/usr/lib/nfr/nfr-slot booted').strip()
    said = box.guest.try_run(f'nfr update {box.bundles.serve(box.bundles.good())}', 1500)
    why = box.rebooted(180)
    expect(why == 'guest-reset', f'the box did not reboot into the update ({why}): {said.out}{said.error}')
    written = time.monotonic() - began
    box.power_on()
    expect(box.wait_recording() is not None, 'the updated system does not record')
    after = box.guest.run('/usr/lib/nfr/nfr-slot booted').strip()
    expect(after != before, f'slot {after} was booted again')
    lasting = wait_for(lambda: box.guest.run('/usr/lib/nfr/nfr-slot lasting').strip() == after, 360, every=5)
    expect(lasting, f'slot {after} was not confirmed: {box.guest.run("nfr update status; journalctl -u nfr-update-confirm --no-pager | tail -n 5")}')
    expect(box.guest.run('cat /usr/share/nfr/boottest').strip() == 'good', 'the new root is not what was sent')
    return f'slot {before} to {after}: written and rebooted in {written:.0f} s, lasting'
