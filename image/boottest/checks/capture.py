"""Every packet that is sent to the capture port is in the sensor's ledger, and the ledger closes."""
from box import CAPTURE, expect
from traffic import everyday


def check(box):
    before = box.packets()
    sent = box.span.send(everyday(4000), per_second=400)
    after = box.wait_packets(before + sent)
    port = box.ports()[CAPTURE]
    lost = sum(port['dropped'].values())
    expect(after - before == sent and lost == 0, f'{sent} packets were sent, {after - before} are in the ledger, {lost} were dropped')
    return f'{sent} of {sent} packets in the ledger'
