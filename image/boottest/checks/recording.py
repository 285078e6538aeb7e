"""The box records within five minutes of power, emulated as it is, and no unit failed on the way."""
import time

from box import expect


def check(box):
    began = time.monotonic()
    box.power_on()
    inside = box.wait_recording()
    expect(inside is not None, 'the sensor was not recording after 420 s: see serial-1.log')
    box.facts['seconds to recording'] = inside
    expect(inside < 300, f'recording began {inside:.0f} s after the kernel')
    failed = box.guest.run('systemctl list-units --failed --plain --no-legend').strip()
    expect(not failed, f'units failed: {failed}')
    version = box.guest.run('nfr version').strip()
    return f'{inside:.0f} s to "recording" after the kernel began ({time.monotonic() - began:.0f} s until it was asked); {version}'
