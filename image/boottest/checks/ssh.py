"""SSH takes the key of nfr.txt and nothing else: no password, no other key."""
import os
import subprocess

from box import BOX, expect
from broker import run


def attempt(box, *options):
    return subprocess.run(['ssh', '-F', '/dev/null', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=40', '-o', 'BatchMode=yes', '-o', 'ControlPath=none',
                           *options, f'root@{BOX}', 'true'], capture_output=True, text=True, timeout=120)


def check(box):
    other = os.path.join(box.folder, 'other-key')
    if not os.path.exists(other): run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', other)
    said = attempt(box, '-i', other, '-o', 'IdentitiesOnly=yes')
    expect(said.returncode and 'Permission denied (publickey)' in said.stderr, f'another key: {said.returncode} {said.stderr.strip()}')
    said = attempt(box, '-o', 'PreferredAuthentications=password,keyboard-interactive', '-o', 'PubkeyAuthentication=no')
    expect(said.returncode and 'Permission denied (publickey)' in said.stderr, f'a password: {said.returncode} {said.stderr.strip()}')
    shadow = [line.split(':')[:2] for line in box.guest.run('cat /etc/shadow').splitlines()]
    usable = [name for name, password in shadow if password and password[0] not in '*!' or password == '']
    expect(not usable, f'accounts with a password or none: {usable}')
    return f'another key and passwords are refused; none of {len(shadow)} accounts has a password'
