"""Updates to try on the box, made of the image's own slot partitions by "nfr update make", and served to it by HTTP."""
import functools
import hashlib
import http.server
import json
import os
import subprocess
import threading

from broker import run


class Bundles:
    """`base` is the path of the image without ".img": .boot.img and .root.img lie beside it. `nfr` is a program for this machine, as an argument list.
    Packing a system is minutes of work, so what was made of the same files is taken again where `folder` still has it."""

    def __init__(self, base, nfr, key, folder, host, say, port=8080):
        self._base, self._nfr, self._key, self.folder, self._say = base, nfr, key, folder, say
        self._address = f'http://{host}:{port}'
        self._environment = {**os.environ, 'DEBUGFS_PAGER': 'cat'}
        self._one = threading.Lock()
        os.makedirs(folder, exist_ok=True)
        self.counter = self._image_json()
        handler = functools.partial(Quiet, directory=folder)
        self._server = http.server.ThreadingHTTPServer((host, port), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _debugfs(self, image, *commands):
        """Changes files of an ext4 image without mounting it. debugfs ends with 0 whatever happens: what it says is looked at."""
        script = os.path.join(self.folder, 'commands')
        with open(script, 'w') as file: file.write('\n'.join(commands) + '\n')
        done = subprocess.run(['debugfs', '-w', '-f', script, image], capture_output=True, text=True, env=self._environment)
        wrong = [line for line in done.stderr.splitlines() if not line.startswith('debugfs 1')]
        if done.returncode or wrong: raise RuntimeError(f'debugfs: {" ".join(wrong) or done.returncode}')

    def _image_json(self):
        self._image = json.loads(run('debugfs', '-R', 'cat /usr/share/nfr/image.json', self._base + '.root.img', env=self._environment))
        return self._image['counter']

    def _name(self, kind, counter, key):
        made_of = [(file, os.stat(file).st_size, os.stat(file).st_mtime_ns) for file in (self._base + '.root.img', self._base + '.boot.img', key, __file__)]
        return f'{kind}-{hashlib.sha256(repr((counter, made_of)).encode()).hexdigest()[:12]}.nfru'

    def _refused(self, kind, counter, key, version):
        """What the box refuses after its head needs no system in it."""
        path, part = os.path.join(self.folder, f'{kind}.nfru'), os.path.join(self.folder, 'part')
        with open(part, 'wb') as file: file.write(b'no system\n' * 5000)
        run(*self._nfr, 'update', 'make', '--version', version, '--counter', str(counter), '--root', part, '--boot', part, '--key', key, '--out', path)
        return path

    def _make(self, kind, counter, key, change=None, version='9.0.0'):
        with self._one: return self._packed(kind, counter, key, change, version)

    def _packed(self, kind, counter, key, change, version):
        path = os.path.join(self.folder, self._name(kind, counter, key))
        if os.path.exists(path): return path
        root = os.path.join(self.folder, f'{kind}.root.img')
        run('cp', '--sparse=always', self._base + '.root.img', root)
        settings, mark = os.path.join(self.folder, 'image.json'), os.path.join(self.folder, 'boottest')
        with open(settings, 'w') as file: json.dump({**self._image, 'counter': counter, 'version': version}, file, separators=(',', ':'))
        with open(mark, 'w') as file: file.write(kind + '\n')
        self._debugfs(root, 'cd /usr/share/nfr', 'rm image.json', f'write {settings} image.json', f'write {mark} boottest')
        if change: change(root)
        self._say(f'making the update "{kind}"')
        run('nice', *self._nfr, 'update', 'make', '--version', version, '--counter', str(counter), '--root', root, '--boot', self._base + '.boot.img', '--key', key, '--out', path)
        os.unlink(root)
        return path

    def good(self):
        return self._make('good', self.counter + 1, self._key, version='9.0.1')

    def bad(self):
        """Whole, signed and newer; its sensor ends at once. Its program is well, so that it is asked whether the sensor is, and has to say no."""
        def break_sensor(root):
            broken = os.path.join(self.folder, 'broken.conf')
            with open(broken, 'w') as file: file.write('[Service]\nExecStart=\nExecStart=/bin/false\n')
            self._debugfs(root, 'cd /usr/lib/systemd/system', 'mkdir nfr.service.d', 'cd nfr.service.d', f'write {broken} broken.conf')
        return self._make('bad', self.counter + 2, self._key, break_sensor, version='9.0.2')

    def older(self):
        return self._refused('older', max(self.counter - 1, 0), self._key, '1.9.0')

    def forged(self):
        """As good as any but for its signature: somebody else's key."""
        key = os.path.join(self.folder, 'forger.pem')
        if not os.path.exists(key): run('openssl', 'ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', key)
        return self._refused('forged', self.counter + 3, key, '9.0.3')

    def serve(self, path):
        return f'{self._address}/{os.path.basename(path)}'

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass
