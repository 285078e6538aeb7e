"""A clock in 1970, no panel, mistakes in nfr.txt and no SSH key: it boots, records, reports, and says what is wrong; no port is open at all."""
import time

from box import BOX, CAPTURE, expect
from checks.ports import scan
from traffic import everyday


def told(message):
    """Packets that the heartbeat knows of, decoded or lost."""
    return next(port['packets'] + port['dropped'] for port in message.json['ports'] if port['interface'] == CAPTURE)


def check(box):
    mark = box.broker.mark()
    box.power_on(panel=False, clock='1970-01-01T00:00:00')
    began = time.monotonic()
    beat = box.broker.wait('health', 480, after=mark)
    expect(beat, 'no heartbeat within 480 s: see serial-1.log')
    seconds = time.monotonic() - began
    before = told(beat)
    sent = box.span.send(everyday(1000), 250)
    later = box.broker.wait('health', 120, after=mark, that=lambda message: told(message) >= before + sent)
    expect(later, f'{sent} packets were sent, the heartbeats say {[told(message) for message in box.broker.of("health", mark)]}')
    opened, _ = scan(BOX, range(1, 65536))
    expect(not opened, f'open without a key: {opened}')
    troubles = {trouble['what'] for message in box.broker.of('health', mark) for trouble in message.json['troubles']}
    named = [trouble for trouble in troubles if 'nfr.txt line' in trouble]
    box.cut()
    report = box.card.read(1, 'nfr.txt.report').decode()
    for words in ('line 1', 'colour', 'line 3'):
        expect(words in report, f'nfr.txt.report does not name "{words}":\n{report}')
    expect(named, f'no heartbeat names the mistakes in nfr.txt: {sorted(troubles)}')
    return f'first heartbeat after {seconds:.0f} s; {len(troubles)} troubles told, among them "{sorted(named)[0]}"; the report names every line'
