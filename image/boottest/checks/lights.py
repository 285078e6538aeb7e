"""The lights say how the box is: power beats, link is on, the capture light answers to packets, and uplink is on once the broker gets what is its."""
import threading

from box import expect, wait_for
from traffic import everyday


def check(box):
    # A port that has heard nothing for half a minute is a fault, which blinks: first it is well, and then quiet for less than that.
    box.span.send(everyday(6000), 300)
    quiet = box.machine.watch_lights(8)
    sender = threading.Thread(target=box.span.send, args=(everyday(2400), 300))
    sender.start()
    busy = box.machine.watch_lights(8)
    sender.join()
    words = ', '.join(f'{name.removeprefix("nfr:")} {on:.0%}/{changes}' for name, (on, changes) in busy.items())
    expect(busy['nfr:power'][0] > 0, f'the power light is dark ({words})')
    # A beat is two flashes of 70 ms, one beat in 0.3 to 1.3 s by the load: not the even blinking of another pattern, and looked at more often than that.
    on, changes = box.machine.watch_lights(8, every=0.02)['nfr:power']
    expect(changes >= 10 and 0 < on < 0.48, f'the power light does not beat: on {on:.0%} of 8 s, {changes} changes')
    lit = wait_for(lambda: box.machine.watch_lights(4)['nfr:uplink'][0] > 0.95, 90)
    expect(lit, f'the broker gets what is its and the uplink light is not steadily on ({words})')
    expect(busy['nfr:link'][0] > 0.95, f'the link light is not steadily on ({words})')
    expect(busy['nfr:capture'][1] > quiet['nfr:capture'][1] + 3, f'the capture light changed {quiet["nfr:capture"][1]} times without packets, {busy["nfr:capture"][1]} times with them')
    return f'on and changes in 8 s of traffic: {words}; power beats ({changes} changes in 8 s), uplink is on'
