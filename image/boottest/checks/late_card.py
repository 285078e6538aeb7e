"""A USB network adapter is plugged in while the box runs, pulled, and plugged in again: it captures within two minutes, the other ports go on, nothing is sent through it."""
import time

from box import CAPTURE, LATE, LATE_MAC, expect, wait_for
from checks.silent import expect_silence
from ledger import all_in
from traffic import Span, everyday


def is_open(box):
    # While the sensor begins anew with another port, nobody answers.
    try: return box.ports().get(LATE, {}).get('open')
    except RuntimeError: return False


def check(box):
    words = []
    box.machine.add_cable('late', 'nfr-late')
    span = Span('nfr-late')
    try:
        for what in ('plugged in', 'plugged in again'):
            began = time.monotonic()
            box.machine.plug('late', LATE_MAC)
            expect(wait_for(lambda: is_open(box), 240), f'{what}, {LATE} does not capture after 240 s: {box.guest.run("cat /run/nfr-boot/ports")}')
            words.append(f'{what}, it captured after {time.monotonic() - began:.0f} s: {all_in(box, everyday(500), 100, where=f"{what}: ", port=LATE, span=span)}')
            all_in(box, everyday(500), 100, where=f'{what}, at the other port: ')
            if what == 'plugged in':
                mark = box.broker.mark()
                box.machine.unplug('late')
                expect(wait_for(lambda: not is_open(box), 60), f'pulled, {LATE} still captures after 60 s')
                told = box.broker.wait('health', 90, after=mark, that=lambda message: any(LATE in trouble['place'] + trouble['what'] for trouble in message.json['troubles']))
                expect(told, f'{LATE} was pulled, and no heartbeat within 90 s says so')
                all_in(box, everyday(500), 100, where='with one pulled, at the other port: ')
        expect_silence(box, span, LATE)
    finally:
        span.close()
    return '; '.join(words)
