"""Packets sent to the capture port, held against the sensor's ledger."""
import time

from box import CAPTURE, expect


def _counts(box, name):
    port = box.ports()[name]
    return port['packets'], sum(port['dropped'][place] for place in ('card', 'kernel', 'decoder'))


def all_in(box, frames, per_second, where='', tries=3, port=CAPTURE, span=None):
    """Sends to the capture port, or to `port` by its `span`, until all of it was decoded, at most `tries` times. Each time the ledger has to close: what was not decoded was counted as lost. An emulated machine may stand still for
    longer than the capture ring lasts, and such a loss is no fault as long as it is told; one that comes each time is. Returns words for the report."""
    words = []
    for _ in range(tries):
        packets, lost = _counts(box, port)
        sent = (span or box.span).send(frames, per_second)
        until = time.monotonic() + 90
        while True:
            now, gone = _counts(box, port)
            if now - packets + gone - lost >= sent or time.monotonic() > until: break
            time.sleep(2)
        expect(now - packets + gone - lost == sent, f'{where}{sent} packets were sent, {now - packets} are in the ledger and {gone - lost} lost: it does not close')
        if gone == lost: return f'{sent} of {sent} packets in the ledger{"".join(words)}'
        words.append(f'; before that {gone - lost} of {sent} lost, and told')
    expect(False, f'{where}{tries} times packets were lost{"".join(words)}')
