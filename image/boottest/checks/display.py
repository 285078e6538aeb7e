"""The display shows pages, and the button turns them: sooner than they turn by themselves, which is after eight seconds."""
import os
import time

from box import expect, wait_for

SOONER = 6


def check(box):
    display, taken = box.machine.display, []
    expect(wait_for(lambda: display.on and display.lit() > 100, 90), f'the display is {"on" if display.on else "off"} with {display.lit()} points lit; the adapter says {box.machine._wire.fault}')
    # The first one may have been about to turn anyhow; from there on each has just begun.
    for number in range(1, 8):
        before, began = bytes(display.memory), time.monotonic()
        display.save(os.path.join(box.folder, f'page-{number}.png'))
        box.machine.press()
        # A page also changes by itself (a clock, a rate): another page is one that differs in many bytes.
        expect(wait_for(lambda: sum(a != b for a, b in zip(before, display.memory)) > 60, 20 if number == 1 else SOONER, every=0.1), f'page {number} stayed when the button was pressed')
        if number > 1: taken.append(time.monotonic() - began)
        # All of the page is there before it is compared with the next.
        time.sleep(1)
    return f'{len(taken)} pages turned, each within {max(taken):.1f} s of the press; {display.writes} bytes written'
