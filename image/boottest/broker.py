"""A real mosquitto outside of the box, which lets in who has a certificate of its authority (TLS, both sides), and one subscriber that keeps what arrives."""
import json
import os
import socket
import subprocess
import threading
import time


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode: raise RuntimeError(f'{" ".join(command)} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}')
    return done.stdout


class Authority:
    """A certificate authority for one run, in `folder`."""

    def __init__(self, folder, name='nfr boot test'):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.certificate, self._key = folder, os.path.join(folder, 'ca.pem'), os.path.join(folder, 'ca.key')
        run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', f'/CN={name}', '-keyout', self._key, '-out', self.certificate)

    def issue(self, name, address=None):
        """(certificate, key) for a name, and where given an IP address."""
        base = os.path.join(self.folder, name)
        run('openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', f'/CN={name}', '-keyout', base + '.key', '-out', base + '.csr')
        with open(base + '.ext', 'w') as file:
            file.write(f'subjectAltName={f"IP:{address}" if address else f"DNS:{name}"}\n')
        run('openssl', 'x509', '-req', '-in', base + '.csr', '-CA', self.certificate, '-CAkey', self._key, '-CAcreateserial', '-days', '30', '-extfile', base + '.ext', '-out', base + '.pem')
        return base + '.pem', base + '.key'


class Message:
    def __init__(self, seconds, topic, payload):
        self.seconds, self.topic, self.payload = seconds, topic, payload
        self.kind = topic.rsplit('/', 1)[-1]

    @property
    def json(self):
        return json.loads(self.payload)


class Broker:
    def __init__(self, folder, authority, address, port=8883):
        self.address, self.port, self.messages = address, port, []
        self._changed, self._began = threading.Condition(), time.monotonic()
        certificate, key = authority.issue('broker', address)
        config = os.path.join(folder, 'mosquitto.conf')
        with open(config, 'w') as file:
            file.write(f'''per_listener_settings false
listener {port} {address}
cafile {authority.certificate}
certfile {certificate}
keyfile {key}
require_certificate true
use_identity_as_username true
allow_anonymous false
persistence false
log_dest stderr
log_type all
user root
''')
        self._log = open(os.path.join(folder, 'mosquitto.log'), 'w')
        self._server = subprocess.Popen(['mosquitto', '-c', config], stdin=subprocess.DEVNULL, stdout=self._log, stderr=subprocess.STDOUT)
        self._await_port()
        certificate, key = authority.issue('watcher')
        self._subscribe = ['mosquitto_sub', '-h', address, '-p', str(port), '--cafile', authority.certificate, '--cert', certificate, '--key', key, '-q', '1']
        self._watcher = subprocess.Popen([*self._subscribe, '-t', 'nfr/#', '-t', 'homeassistant/#', '-F', '%j'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _await_port(self, seconds=20):
        until = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection((self.address, self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > until or self._server.poll() is not None: raise RuntimeError(f'mosquitto does not listen: see {self._log.name}')
                time.sleep(0.1)

    def _read(self):
        for line in self._watcher.stdout:
            try: said = json.loads(line)
            except ValueError: continue
            payload = said.get('payload', '')
            message = Message(time.monotonic() - self._began, said['topic'], payload if isinstance(payload, str) else json.dumps(payload))
            with self._changed:
                self.messages.append(message)
                self._changed.notify_all()

    def mark(self):
        """A place in the messages: `wait` after it finds only newer ones."""
        with self._changed: return len(self.messages)

    def wait(self, kind, seconds, after=0, that=lambda message: True):
        """The first message under .../kind that came after the mark and for which `that` holds; None after `seconds`."""
        until = time.monotonic() + seconds
        with self._changed:
            while True:
                for message in self.messages[after:]:
                    if message.kind == kind and that(message): return message
                after = len(self.messages)
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left) and time.monotonic() >= until: return None

    def retained(self, topic, seconds=20):
        """What the broker keeps under a topic for who comes later; empty where it keeps nothing."""
        done = subprocess.run([*self._subscribe, '-t', topic, '--retained-only', '-C', '1', '-W', str(seconds)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.stdout.strip()

    def of(self, kind, after=0):
        with self._changed: return [message for message in self.messages[after:] if message.kind == kind]

    def close(self):
        for process in (self._watcher, self._server):
            process.terminate()
            try: process.wait(5)
            except subprocess.TimeoutExpired: process.kill(); process.wait(5)
        self._reader.join(5)
        self._log.close()
