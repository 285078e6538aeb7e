"""A port scan and a connection to a backdoor's port are told at the broker, the alert light blinks, and the button acknowledges them."""
import time

from box import expect, wait_for
from traffic import Feed, backdoor, scan


def alert_light(box, seconds=6):
    """(on, changes)"""
    return box.machine.watch_lights(seconds, every=0.05)['nfr:alert']


def check(box):
    seen = []
    with Feed(box.span):
        # The clock is kept by now, packets come, and nothing else was ever wrong.
        expect(wait_for(lambda: seen.append(alert_light(box)) or seen[-1] == (0, 0), 180, every=0.1), f'the alert light shines before there is any alert: on and changes in 6 s: {seen}; it says {[trouble["what"] for trouble in box.guest.status()["troubles"]]}')
        mark = box.broker.mark()
        box.span.send(scan(), 100)
        box.span.send(backdoor(), 50)
        found = {}
        for threat in ('internal_port_scan', 'bad_port'):
            message = box.broker.wait('alert', 120, after=mark, that=lambda message: threat in message.json.get('threats', {}))
            expect(message, f'no alert "{threat}" came to the broker within 120 s')
            found[threat] = message
        seen = []
        # Half of the time, slowly or fast: steadily on would be a fault, a short flash something to be set right.
        expect(wait_for(lambda: seen.append(alert_light(box)) or (0.3 < seen[-1][0] < 0.7 and seen[-1][1] >= 4), 30, every=0.1), f'the alert light does not blink: on and changes in 6 s: {seen}')
        blinked, presses = seen[-1], 0
        while alert_light(box, 3) != (0, 0):
            # Turns to the page that shows them, or acknowledges what that shows.
            expect(presses < 16, f'the button was pressed {presses} times and the alert light blinks on')
            box.machine.press()
            presses += 1
            time.sleep(2)
    box.facts['alert'] = found['internal_port_scan'].payload
    return f'{", ".join(found)}; the alert light was dark, was then on {blinked[0]:.0%} of the time with {blinked[1]} changes in 6 s, and dark again after {presses} press(es)'
