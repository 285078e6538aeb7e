"""Every packet that is sent to the capture port is in the sensor's ledger, and the ledger closes."""
from box import CAPTURE, expect
from ledger import all_in
from traffic import everyday


def check(box):
    words = all_in(box, everyday(4000), 400)
    events = box.ports()[CAPTURE]['dropped']['pipelineEvents']
    expect(not events, f'{events} events were dropped on their way to the spool')
    return words
