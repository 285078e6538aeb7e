"""A port scan and a connection to a backdoor's port are told at the broker, and the alert light comes on."""
from box import expect, wait_for
from traffic import backdoor, scan


def check(box):
    mark = box.broker.mark()
    dark = box.machine.watch_lights(3)['nfr:alert'][0]
    box.span.send(scan(), 100)
    box.span.send(backdoor(), 50)
    found = {}
    for threat in ('internal_port_scan', 'bad_port'):
        message = box.broker.wait('alert', 120, after=mark, that=lambda message: threat in message.json.get('threats', {}))
        expect(message, f'no alert "{threat}" came to the broker within 120 s')
        found[threat] = message
    lit = wait_for(lambda: box.machine.watch_lights(3)['nfr:alert'][0] > 0, 30)
    expect(lit, 'the alert light stayed dark')
    box.facts['alert'] = found['internal_port_scan'].payload
    return f'{", ".join(found)}; the alert light was on {dark:.0%} of the time before and is lit now'
