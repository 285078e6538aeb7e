"""The root is read-only and stays so, logs are in RAM, there is no swap, and only /data is written."""
import json

from box import expect


def check(box):
    mounts = json.loads(box.guest.run('findmnt --json --list -o TARGET,FSTYPE,OPTIONS,SOURCE'))['filesystems']
    by_target = {mount['target']: mount for mount in mounts}
    options = by_target['/']['options'].split(',')
    expect('ro' in options, f'/ is mounted {by_target["/"]["options"]}')
    for place in ('/nfr-test', '/etc/nfr-test', '/usr/nfr-test', '/boot/nfr-test'):
        said = box.guest.try_run(f'touch {place}')
        expect(said.code, f'{place} could be written')
    for place in ('/var', '/tmp', '/run'):
        expect(by_target.get(place, {}).get('fstype') == 'tmpfs', f'{place} is not in RAM: {by_target.get(place)}')
    written = [mount['target'] for mount in mounts if mount['fstype'] in ('ext4', 'vfat') and 'rw' in mount['options'].split(',')]
    expect(all(target == '/data' or by_target[target]['source'].startswith(by_target['/data']['source']) for target in written), f'written are {written}')
    expect('noatime' in by_target['/data']['options'], f'/data is mounted {by_target["/data"]["options"]}')
    swap = box.guest.run('cat /proc/swaps').strip().splitlines()[1:]
    expect(not swap, f'there is swap: {swap}')
    box.guest.run('test ! -d /var/log/journal && test -d /run/log/journal')
    return f'read-only by {by_target["/"]["source"]}; written: {", ".join(written)}'
