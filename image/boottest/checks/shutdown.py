"""Asked to shut down, the box stops in order within a minute and a half, and says "offline"."""
from box import expect
from checks.silent import expect_silence


def check(box):
    mark = box.broker.mark()
    box.guest.try_run('systemctl poweroff', 30)
    why = box.rebooted(90)
    expect(why == 'guest-shutdown', f'the box did not go off in order ({why})')
    offline = box.broker.wait('status', 90, after=mark, that=lambda message: 'offline' in message.payload)
    expect(offline, 'nothing said "offline"')
    expect_silence(box)
    return 'in order, and "offline" at the broker'
