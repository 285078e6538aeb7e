"""A kernel that hangs is reset by the hardware's watchdog, which systemd has fed until then, and the box records again."""
import time

from box import expect, wait_for


def check(box):
    box.cut()
    box.power_on(watchdog=True)
    expect(box.wait_recording() is not None, 'with a watchdog in the machine it did not record')
    # Its driver is loaded after systemd has begun.
    fed = wait_for(lambda: box.guest.run('journalctl -b -o cat --no-pager _PID=1 | grep -i "watchdog running with" ; true').strip(), 60)
    expect(fed and ' 15s' in fed, f'systemd does not feed the watchdog: it says {fed or "nothing of it"}')
    # A panic after which the kernel does not start again by itself (panic=10 would have it) is one that hangs.
    box.guest.run('echo 0 > /proc/sys/kernel/panic')
    began = time.monotonic()
    box.guest.try_run('nohup sh -c "sleep 0.2; echo c > /proc/sysrq-trigger" >/dev/null 2>&1 &', 30)
    why = box.rebooted(90)
    expect(why == 'guest-reset', f'the kernel hung, and the watchdog did not reset it ({why})')
    seconds = time.monotonic() - began
    box.power_on()
    inside = box.wait_recording()
    expect(inside is not None, 'after the reset it did not record')
    return f'reset {seconds:.0f} s after the kernel hung, recording again {inside:.0f} s after its start'
