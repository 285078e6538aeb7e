"""The button, held for six seconds and let go, shuts the box down in order: what a person does who carries it away. It has no way in but that."""
from box import expect
from checks.silent import expect_silence


def check(box):
    mark = box.broker.mark()
    if box.machine.process is None:
        box.power_on()
        expect(box.broker.wait('health', 480, after=mark), 'no heartbeat within 480 s')
        mark = box.broker.mark()
    box.machine.hold(6.5)
    why = box.rebooted(150)
    expect(why == 'guest-shutdown', f'the button was held and let go, and the box did not go off in order ({why})')
    expect(box.broker.wait('status', 90, after=mark, that=lambda message: 'offline' in message.payload), 'nothing said "offline"')
    expect_silence(box)
    return 'in order, and "offline" at the broker'
