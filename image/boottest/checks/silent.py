"""Nothing comes out of the capture port, ever."""
from box import expect


def expect_silence(box, span=None, port='the capture port'):
    """Of a port that captures, since it was last asked for: each act ends with it, after all its starts."""
    frames, missed = (span or box.span).heard()
    expect(not frames and not missed, f'{len(frames) + missed} frames came out of {port}, the first: {frames[0][:60].hex() if frames else "not kept"}')


def check(box):
    expect_silence(box)
    return f'no frame since the box was switched on; {box.span.sent} went in'
