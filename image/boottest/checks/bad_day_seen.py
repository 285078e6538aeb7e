"""The same box with a panel, its mistakes mended and its clock in 1970 again, and no time server that answers: the alert light flashes. With the time server back it goes out, and the
broker was told of the clock."""
import os

from box import HOST, expect, settings, wait_for
from timeserver import TimeServer
from traffic import Feed

SECONDS = 24


def flashes(machine):
    """The part of the time that the alert light was on, and its changes, over some flashes of one pattern: a short one every two seconds."""
    return machine.watch_lights(SECONDS, every=0.03)['nfr:alert']


def is_flashing(seen):
    on, changes = seen
    return 0 < on < 0.3 and changes >= 4


def clock(message):
    return [trouble['what'] for trouble in message.json['troubles'] if trouble['place'] == 'clock']


def check(box):
    box.cut()
    # No mistake is left that the light could be about.
    box.card.write(1, 'nfr.txt', settings(extra=[f'ntp = {HOST}']).encode())
    box.time.close()
    mark = box.broker.mark()
    try:
        box.power_on(clock='1970-01-01T00:00:00')
        # A port without packets is a fault, which goes before what is to be set right.
        with Feed(box.span):
            expect(wait_for(lambda: box.machine.watch_lights(6)['nfr:link'][0] > 0.95, 480), 'the link light stayed dark for 480 s: no sensor and no panel')
            seen = []
            expect(wait_for(lambda: seen.append(flashes(box.machine)) or is_flashing(seen[-1]), 300, every=0.1), f'nobody set the clock, and the alert light does not flash: on and changes in {SECONDS} s: {seen}')
            display = box.machine.display
            expect(wait_for(lambda: display.on and display.lit() > 100, 90), 'the display is dark')
            display.save(os.path.join(box.folder, 'clock-not-set.png'))
            box.time = TimeServer(HOST)
            # Its certificates may not be valid yet at the time that it guesses, and chrony asks a server that was silent once a minute.
            told = box.broker.wait('health', 600, after=mark, that=clock)
            expect(told, f'no heartbeat tells of the clock, but {sorted({trouble["what"] for message in box.broker.of("health", mark) for trouble in message.json["troubles"]})}')
            well = []
            expect(wait_for(lambda: well.append(box.machine.watch_lights(SECONDS, every=0.03)['nfr:alert']) or well[-1][0] == 0, 400, every=0.1), f'with the time set the alert light stays: on and changes in {SECONDS} s: {well}')
    finally:
        if not box.time.is_open: box.time = TimeServer(HOST)
    on, changes = seen[-1]
    return f'without a time server the alert light was on for {on:.0%} of {SECONDS} s with {changes} changes, with one it is dark; told at the broker: "{clock(told)[0]}"'
