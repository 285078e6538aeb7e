"""Nothing comes out of the capture port, ever."""
from box import expect


def check(box):
    frames = box.span.heard()
    expect(not frames, f'{len(frames)} frames came out of the capture port, the first: {frames[0][:60].hex() if frames else ""}')
    return f'no frame since the box was switched on; {box.span.sent} went in'
