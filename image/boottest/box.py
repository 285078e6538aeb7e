"""One boot test: the private network around the box, the box, the broker, and what every check needs of them."""
import os
import re
import shutil
import subprocess
import time

from broker import Authority, Broker, run
from firmware import Card
from guest import Guest
from machine import Machine
from pi3 import Pi3
from timeserver import TimeServer
from traffic import Span

HOST, BOX, LEASE = '10.99.0.1', '10.99.0.2', '10.99.0.77'     # the last is what DHCP gives, to a box that is told no address
NAME, SITE = 'boottest', 'lab'
LIGHTS = ('power', 'link', 'capture', 'uplink', 'alert')
# Lines of the virtual GPIO controller; 3 is the button's.
LINES = dict(zip((f'nfr:{name}' for name in LIGHTS), (0, 1, 2, 4, 5)))
CABLES = ('nfr-mgmt', 'nfr-span', 'nfr-late')
MANAGEMENT, CAPTURE = 'enp0s2', 'enp0s3'
LATE_MAC = '40:e0:4c:4e:46:03'       # a USB adapter's, which is not in the box when it starts; QEMU's all begin with 40
LATE = 'enx' + LATE_MAC.replace(':', '')


def network():
    """Three cables, in the private network that this process was started in (unshare --net): management with an address, capture and that of the late adapter without any, silent."""
    for name in CABLES:
        run('ip', 'tuntap', 'add', 'dev', name, 'mode', 'tap')
        if name == 'nfr-mgmt': continue
        with open(f'/proc/sys/net/ipv6/conf/{name}/disable_ipv6', 'w') as file: file.write('1')
    run('ip', 'address', 'add', f'{HOST}/24', 'dev', 'nfr-mgmt')
    for name in ('lo', *CABLES):
        run('ip', 'link', 'set', name, 'up')


def settings(ssh_key=None, plain=False, extra=()):
    """What a person writes into nfr.txt; `plain` is without who the box is and how its ports are used."""
    lines = [] if plain else [f'name = {NAME}', f'site = {SITE}', f'management = {MANAGEMENT}', f'capture = {CAPTURE}', f'address = {BOX}/24', f'gateway = {HOST}']
    lines += [f'broker = mqtts://{HOST}:8883', 'broker.ca = ca.pem', 'broker.certificate = box.crt', 'broker.key = box.key']
    if ssh_key: lines.append(f'ssh.key = {ssh_key}')
    return '\r\n'.join([*lines, *extra, ''])


class Box:
    def __init__(self, image, bundles, folder, say):
        self.image, self.bundles, self.folder, self.say = image, bundles, folder, say
        os.makedirs(folder, exist_ok=True)
        self.authority = Authority(os.path.join(folder, 'ca'))
        self.identity = self.authority.issue(NAME)
        self.broker = Broker(folder, self.authority, HOST)
        self.time = TimeServer(HOST)
        self.key = os.path.join(folder, 'ssh-key')
        if os.path.exists(self.key): os.unlink(self.key)
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'boot test', '-f', self.key)
        with open(self.key + '.pub') as file: self.public_key = file.read().strip()
        self.guest = None
        self.span = Span('nfr-span')
        self.machine = None
        self.card = None
        self.dhcp = None
        self.facts = {}     # what a check has found out and a later one builds on

    # -- cards -----------------------------------------------------------------------------------------------------------------------------------

    def new_card(self, name, text, address=BOX, certificates=True, megabytes=6144, board=False):
        """The image flashed to a card of that size, and its nfr.txt edited as on a person's computer; `address` is where the box will be found. `board` puts it into a Pi."""
        self.power_off()
        self.guest = Guest(address, self.key, self.folder)
        path = os.path.join(self.folder, name + '.img')
        if os.path.exists(path): os.unlink(path)
        run('cp', '--sparse=always', self.image, path)
        os.truncate(path, megabytes << 20)
        self.card = Card(path)
        self.card.write(1, 'nfr.txt', text.encode() if isinstance(text, str) else text)
        if certificates:
            for file, name in zip((self.authority.certificate, *self.identity), ('ca.pem', 'box.crt', 'box.key')):
                with open(file, 'rb') as content: self.card.write(1, name, content.read())
        folder = os.path.join(self.folder, name_of(path))
        self.machine = Pi3(path, folder, self.say) if board else Machine(path, folder, LINES, 148, self.say)

    # -- power -----------------------------------------------------------------------------------------------------------------------------------

    def power_on(self, **options):
        return self.machine.power_on(**options)

    def cut(self):
        self.guest.forget()
        self.machine.cut()

    def power_off(self):
        if self.machine and self.machine.process: self.cut()

    def rebooted(self, seconds):
        """Waits until the box goes off by itself; QEMU's word for why."""
        why = self.machine.wait_off(seconds)
        self.guest.forget()
        return why

    def wait_recording(self, seconds=420):
        """Until systemd was told by the sensor that it records. Returns seconds after the kernel's start, by the box's own clock; None when it did not."""
        until = time.monotonic() + seconds
        if not self.guest.wait(seconds): return None
        while time.monotonic() < until:
            unit = self.guest.unit('nfr.service', 'ActiveState', 'SubState', 'ActiveEnterTimestampMonotonic')
            if unit.get('ActiveState') == 'active' and unit.get('SubState') == 'running': return int(unit['ActiveEnterTimestampMonotonic']) / 1e6
            time.sleep(3)
        return None

    def ports(self):
        """The sensor's status of its capture port."""
        return {port['interface']: port for port in self.guest.status()['capture']}

    def close(self):
        self.power_off()
        self.span.close()
        self.time.close()
        if self.dhcp: self.dhcp.close()
        self.broker.close()

    def keep_logs(self, target):
        """Copies consoles and pictures out of the working folder."""
        os.makedirs(target, exist_ok=True)
        for base, _, files in os.walk(self.folder):
            for file in files:
                if re.search(r'\.(log|png|txt|json)$', file):
                    shutil.copy(os.path.join(base, file), os.path.join(target, os.path.relpath(os.path.join(base, file), self.folder).replace('/', '-')))


def name_of(path):
    return os.path.splitext(os.path.basename(path))[0]


class Failed(Exception):
    """A check that did not hold, in words."""


def expect(condition, words):
    if not condition: raise Failed(words)


def wait_for(what, seconds, every=2.0):
    """The first true value of `what()`; its last one after `seconds`."""
    until = time.monotonic() + seconds
    while True:
        value = what()
        if value or time.monotonic() > until: return value
        time.sleep(every)


__all__ = ['Box', 'Failed', 'expect', 'wait_for', 'network', 'settings', 'HOST', 'BOX', 'NAME', 'SITE', 'LIGHTS', 'LINES', 'MANAGEMENT', 'CAPTURE', 'LEASE', 'LATE', 'LATE_MAC', 'subprocess']
