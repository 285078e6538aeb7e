"""The lights say how the box is: power beats, link is on, the capture light answers to packets, the alert light is off."""
import threading

from box import expect
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
    expect(busy['nfr:link'][0] > 0, f'the link light is dark ({words})')
    expect(busy['nfr:capture'][1] > quiet['nfr:capture'][1] + 3, f'the capture light changed {quiet["nfr:capture"][1]} times without packets, {busy["nfr:capture"][1]} times with them')
    return f'on and changes in 8 s of traffic: {words}'
