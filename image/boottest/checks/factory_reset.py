"""The button, held for sixteen seconds, let go and pressed: all that was recorded and all that the owner wrote is gone, and the box records as one that was never used."""
import subprocess
import time

from box import expect, wait_for
from checks.silent import expect_silence
from firmware import Card

OWNERS = ('ca.pem', 'box.crt', 'box.key', 'factory-reset')


def on_data(box, request):
    """What debugfs says of the data partition, the last of the card; the box is off."""
    offset = box.card.partitions[max(box.card.partitions)][0]
    done = subprocess.run(['debugfs', '-R', request, f'{box.card.image}?offset={offset}'], capture_output=True, text=True)
    return done.stdout


def check(box):
    identity = box.guest.run('cat /etc/machine-id').strip()
    events = box.guest.status()['spool']['inSpool']
    expect(events, 'nothing is in the spool that could be erased')
    why = None
    for attempt in range(3):
        box.machine.hold(16)
        # The display asks first; a press before that answers nothing.
        time.sleep(4)
        box.machine.press()
        why = box.rebooted(120)
        if why: break
    expect(why == 'guest-reset', f'the button was held, let go and pressed, and the box did not start anew ({why})')
    leases = box.dhcp.asked
    began = time.monotonic()
    box.power_on()
    # For longer than the two seconds in which the panel shows that every light works.
    expect(wait_for(lambda: box.machine.watch_lights(6)['nfr:link'][0] > 0.95, 480), 'after the reset the link light stayed dark for 480 s: no sensor and no panel')
    seconds = time.monotonic() - began
    expect(wait_for(lambda: box.dhcp.asked > leases, 60), 'after the reset it asked for no address')
    expect(box.guest.try_run('true', 60).code, "after the reset the former owner's SSH key still opens it")
    box.machine.display.save(f'{box.machine.folder}/after-reset.png')
    expect_silence(box)
    # In order, by the button: what lies in the journal of the data partition alone, debugfs does not see.
    box.machine.hold(6.5)
    why = box.rebooted(150)
    expect(why == 'guest-shutdown', f'after the reset the button did not switch it off ({why})')
    left = [name for name in OWNERS if box.card.exists(1, name)]
    expect(not left, f'left on the card: {", ".join(left)}')
    expect(box.card.read(1, 'nfr.txt') == Card(box.image).read(1, 'nfr.txt'), 'nfr.txt is not as the image has it')
    now = on_data(box, 'cat machine-id').strip()
    expect(len(now) == 32 and now != identity, f'the identity was {identity} and is "{now}"')
    return f'after {attempt + 1} hold(s); {events} events, certificates, SSH key and identity are gone; its link light was on again after {seconds:.0f} s'
