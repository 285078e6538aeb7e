"""Commands in the box, by the way that a person has: SSH with the key that nfr.txt gave."""
import json
import os
import subprocess
import time


class Said:
    def __init__(self, code, out, error):
        self.code, self.out, self.error = code, out, error


class Guest:
    """One connection is kept and shared by all commands: opening one costs an emulated machine seconds."""

    def __init__(self, address, key, folder):
        self.address = address
        self._options = ['-F', '/dev/null', '-i', key, '-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR',
                         '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20', '-o', 'ServerAliveInterval=10', '-o', 'ServerAliveCountMax=6',
                         '-o', 'ControlMaster=auto', '-o', f'ControlPath={os.path.join(folder, "ssh-%C")}', '-o', 'ControlPersist=1200']

    def try_run(self, command, seconds=120, data=None):
        try:
            done = subprocess.run(['ssh', *self._options, f'root@{self.address}', command], input=data, capture_output=True, timeout=seconds, text=data is None or isinstance(data, str))
        except subprocess.TimeoutExpired:
            return Said(255, '', f'no answer within {seconds} s')
        return Said(done.returncode, done.stdout, done.stderr)

    def run(self, command, seconds=120, data=None):
        """What it printed; an error with its words where it failed."""
        said = self.try_run(command, seconds, data)
        if said.code: raise RuntimeError(f'in the box, "{command}" ended with {said.code}: {said.error.strip() or said.out.strip()}')
        return said.out

    def wait(self, seconds):
        """Until SSH answers; False after `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.try_run('true', 40).code == 0: return True
            time.sleep(2)
        return False

    def forget(self):
        """The machine was switched off: the kept connection is dropped."""
        subprocess.run(['ssh', *self._options, '-O', 'exit', f'root@{self.address}'], capture_output=True)

    def unit(self, name, *properties):
        text = self.run(f'systemctl show {name} -p {",".join(properties)}')
        return dict(line.split('=', 1) for line in text.splitlines() if '=' in line)

    def status(self):
        """What "nfr status --json" says. It ends with 3 where something is wrong, such as a port without packets, and says everything all the same."""
        said = self.try_run('nfr status --json', 180)
        if said.code not in (0, 3): raise RuntimeError(f'in the box, "nfr status --json" ended with {said.code}: {said.error.strip() or said.out.strip()}')
        return json.loads(said.out)
