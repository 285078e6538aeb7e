"""The display shows pages, and the button turns them."""
import os

from box import expect, wait_for


def check(box):
    display = box.machine.display
    expect(wait_for(lambda: display.on and display.lit() > 100, 90), f'the display is {"on" if display.on else "off"} with {display.lit()} points lit; the adapter says {box.machine._wire.fault}')
    pages = []
    for number in range(1, 7):
        before = bytes(display.memory)
        display.save(os.path.join(box.folder, f'page-{number}.png'))
        pages.append(before)
        box.machine.press()
        # A page also changes by itself (a clock, a rate): another page is one that differs in many bytes.
        expect(wait_for(lambda: sum(a != b for a, b in zip(before, display.memory)) > 60, 20, every=0.3), f'page {number} stayed when the button was pressed')
    return f'{len(pages)} pages turned, {display.writes} bytes written'
