"""The sensor stays below 160 MiB on the real processor's runtime."""
from box import expect


def check(box):
    pid = box.guest.unit('nfr.service', 'MainPID')['MainPID']
    status = dict(line.split(':', 1) for line in box.guest.run(f'cat /proc/{pid}/status').splitlines())
    now, most = (int(status[name].split()[0]) / 1024 for name in ('VmRSS', 'VmHWM'))
    expect(most < 160, f'the sensor had {most:.0f} MiB')
    return f'{now:.0f} MiB now, {most:.0f} at most'
