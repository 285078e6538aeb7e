"""Nothing comes out of the capture port, ever."""
from box import expect


def expect_silence(box):
    """Of the capture port, since it was last asked for: each act ends with it, after all its starts."""
    frames = box.span.heard()
    expect(not frames, f'{len(frames)} frames came out of the capture port, the first: {frames[0][:60].hex() if frames else ""}')


def check(box):
    expect_silence(box)
    return f'no frame since the box was switched on; {box.span.sent} went in'
