"""The box: QEMU's `virt` machine with a card, a management port, a capture port, five lights, a button and a display, all real to the guest's kernel.
Lights are lines of the machine's own GPIO controller and are read there, from outside; the button is its power key; the display hangs on USB (display.py)."""
import json
import os
import queue
import re
import resource
import signal
import socket
import subprocess
import threading
import time

import display
from firmware import Card

PL061_DATA = 0x090303fc      # the controller's data register with every line chosen (Arm DDI 0190B, 3.3.1), at its place in QEMU's `virt`
BUTTON_LINE = 3              # QEMU's own: the line that "system_powerdown" pulses, and that "hold" moves itself


class Qmp:
    """QEMU's control socket: one command at a time; a thread reads, so that events are kept even while nobody asks."""

    def __init__(self, path, seconds=20):
        until = time.monotonic() + seconds
        self._socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self._socket.connect(path)
                break
            except OSError:
                if time.monotonic() > until: raise
                time.sleep(0.1)
        self.events, self._answers, self._lock = [], queue.Queue(), threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.do('qmp_capabilities')

    def _read(self):
        try:
            for line in self._socket.makefile('r'):
                said = json.loads(line)
                if 'event' in said: self.events.append(said)
                elif 'QMP' not in said: self._answers.put(said)
        except (OSError, ValueError):
            pass
        self._answers.put(None)

    def do(self, command, **arguments):
        with self._lock:
            self._socket.sendall((json.dumps({'execute': command, 'arguments': arguments}) + '\n').encode())
            answer = self._answers.get(timeout=60)
        if answer is None: raise EOFError('QEMU closed its control socket')
        if 'error' in answer: raise RuntimeError(f"{command}: {answer['error']['desc']}")
        return answer['return']

    def close(self):
        """After QEMU ended: the last events are read."""
        self._reader.join(5)
        self._socket.close()


def cable(name, tap):
    return ['-netdev', f'tap,id={name},ifname={tap},script=no,downscript=no']


class Machine:
    """One card and the boots made from it. `say` takes a line for the log."""

    CONSOLE, CARD = 'console=ttyAMA0', 'none'      # the kernel's; where QEMU puts the card: nowhere but in a device that is named
    LEVELS = ('b', PL061_DATA)                     # a byte, a word, and where: the levels of the lines that the lights are on

    def __init__(self, image, folder, lights, button_code, say, memory=1024):
        self.image, self.folder, self.say, self.memory = image, folder, say, memory
        self.lights, self.button_code = lights, button_code
        self.process = self.qmp = self.display = self._wire = None
        self.boots = 0
        self.serial = None
        os.makedirs(folder, exist_ok=True)

    # -- what the machine consists of ------------------------------------------------------------------------------------------------------------

    def _base(self):
        return ['-M', 'virt', '-nodefaults', '-cpu', 'cortex-a72', '-smp', '2', '-m', str(self.memory), '-accel', 'tcg,thread=multi']

    def _serial(self):
        return ['-serial', f'file:{self.serial}']

    def _devices(self, panel, screen):
        """Card, ports and panel, as arguments of QEMU."""
        devices = ['-device', 'virtio-blk-pci,drive=card,addr=1',
                   *cable('net0', 'nfr-mgmt'), '-device', 'virtio-net-pci,netdev=net0,mac=52:54:00:4e:46:01,romfile=,addr=2',
                   *cable('net1', 'nfr-span'), '-device', 'virtio-net-pci,netdev=net1,mac=52:54:00:4e:46:02,romfile=,addr=3',
                   '-device', 'virtio-rng-pci,addr=4']
        if panel:
            devices += ['-dtb', self._tree(), '-chardev', f'socket,id=display,path={screen},server=on,wait=off',
                        '-device', 'qemu-xhci,id=usb,addr=5', '-device', 'usb-redir,chardev=display,bus=usb.0']
        return devices

    def _tree(self):
        """QEMU's own device tree, with lights on its GPIO lines and the button's code as the panel's overlay has it."""
        plain, text, out = (os.path.join(self.folder, name) for name in ('virt.dtb', 'virt.dts', 'box.dtb'))
        machine = self._base()
        machine[1] += f',dumpdtb={plain}'
        subprocess.run(['qemu-system-aarch64', *machine, '-display', 'none'], check=True, capture_output=True)
        source = subprocess.run(['dtc', '-q', '-I', 'dtb', '-O', 'dts', plain], check=True, capture_output=True, text=True).stdout
        with open(text, 'w') as file:
            file.write(with_panel(source, self.lights, self.button_code))
        subprocess.run(['dtc', '-q', '-I', 'dts', '-O', 'dtb', '-o', out, text], check=True, capture_output=True)
        return out

    # -- power -----------------------------------------------------------------------------------------------------------------------------------

    def power_on(self, panel=True, clock=None, append='', watchdog=False):
        """Plays the firmware and starts the kernel. `clock` is an RTC time such as 1970-01-01T00:00:00; None is now. `watchdog` puts one into the machine that resets it when nobody feeds it: not at
        every start, since an emulated machine may stand still for as long as that waits."""
        assert self.process is None, 'the machine is on'
        self.boots += 1
        partition, kernel, initrd, line = Card(self.image).boot(os.path.join(self.folder, 'boot'))
        line += f' {self.CONSOLE} systemd.default_device_timeout_sec=600 systemd.journald.forward_to_console=1 {append}'
        # The Pi's firmware tells the kernel its partition in the device tree; here the line of config.txt that chose cmdline-X.txt did.
        self.serial = os.path.join(self.folder, f'serial-{self.boots}.log')
        control, screen, lines = (os.path.join(self.folder, name) for name in ('qmp', 'display', 'lines'))
        for path in (control, screen, lines):
            if os.path.exists(path): os.unlink(path)
        arguments = ['qemu-system-aarch64', *self._base(), '-display', 'none', '-no-reboot', *self._serial(), '-monitor', 'none',
                     # The test protocol of QEMU moves lines of the machine from outside, as a finger does; the machine itself runs as without it.
                     '-qmp', f'unix:{control},server=on,wait=off', '-qtest', f'unix:{lines},server=on,wait=off', '-qtest-log', 'none',
                     # cache=none would wait for the host's disk; what the guest flushes is what must outlive a cut, and that QEMU does in any mode.
                     '-drive', f'id=card,file={self.image},format=raw,cache=writeback,discard=unmap,if={self.CARD}',
                     '-kernel', kernel, '-append', line, *self._devices(panel, screen)]
        if initrd: arguments += ['-initrd', initrd]
        if watchdog: arguments += ['-device', 'i6300esb,addr=6', '-action', 'watchdog=reset']
        if clock: arguments += ['-rtc', f'base={clock}']
        self.log = open(os.path.join(self.folder, f'qemu-{self.boots}.log'), 'w')
        # restore_signals=False: SIGXFSZ stays ignored, as Python has it, so that `refuse_writes` ends writes and not QEMU.
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, restore_signals=False)
        self.started = time.monotonic()
        try:
            self.qmp = Qmp(control)
            if panel: self.display, self._wire = display.attach(screen)
        except Exception:
            self.cut()
            with open(self.log.name) as said: raise RuntimeError(f'QEMU did not start: {said.read().strip() or "no word"}')
        self.say(f'boot {self.boots} from partition {partition}')
        return partition

    def cut(self):
        """The plug is pulled."""
        if self.process is None: return
        self.process.send_signal(signal.SIGKILL)
        self._gone()

    def wait_off(self, seconds):
        """Until the guest shuts down or reboots by itself. Returns QEMU's word for which: guest-shutdown, guest-reset, watchdog …; None after `seconds`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self.qmp.close()
        reasons = [event['data']['reason'] for event in self.qmp.events if event['event'] == 'SHUTDOWN']
        self._gone()
        return reasons[-1] if reasons else 'ended'

    def _gone(self):
        self.process.wait(30)
        if self.qmp: self.qmp.close()
        if self._wire: self._wire.close()
        self.log.close()
        self.process = self.qmp = self.display = self._wire = None

    def refuse_writes(self):
        """From here on the card fails every write, until the next power_on: the host lets QEMU write to no file any more (RLIMIT_FSIZE), and QEMU reports that as an error of the card.
        The serial console is such a file, too, and says nothing more."""
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (0, 0))

    def add_cable(self, name, tap):
        """A cable to an adapter that may be plugged in."""
        self.qmp.do('netdev_add', type='tap', id=name, ifname=tap, script='no', downscript='no')

    def plug(self, cable, mac):
        """A USB network adapter (CDC Ethernet), with that cable in it, goes into the box."""
        self.qmp.do('device_add', driver='usb-net', id=f'{cable}-adapter', netdev=cable, mac=mac, bus='usb.0')

    def unplug(self, cable):
        self.qmp.do('device_del', id=f'{cable}-adapter')

    # -- what a person sees and touches -----------------------------------------------------------------------------------------------------------

    def lit(self):
        """The set of names of the lights that are on at this moment."""
        said = self.qmp.do('human-monitor-command', **{'command-line': f'xp /1x{self.LEVELS[0]} {self.LEVELS[1]:#x}'})
        value = int(re.search(r':\s*(0x[0-9a-f]+)', said)[1], 16)
        return {name for name, line in self.lights.items() if value >> line & 1}

    def watch_lights(self, seconds, every=0.1):
        """For each light the part of the time that it was on, and how often it changed."""
        seen, before = {name: [0, 0] for name in self.lights}, None
        until, samples = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            now = self.lit()
            samples += 1
            for name, counts in seen.items():
                counts[0] += name in now
                counts[1] += before is not None and (name in now) != (name in before)
            before = now
            time.sleep(every)
        return {name: (on / samples, changes) for name, (on, changes) in seen.items()}

    def press(self):
        """A short press of the button (a tenth of a second, QEMU's)."""
        self.qmp.do('system_powerdown')

    def hold(self, seconds):
        """The button, held: its line is up for so long."""
        path = next('/machine/unattached/' + part['name'] for part in self.qmp.do('qom-list', path='/machine/unattached') if 'pl061' in part['type'])
        with socket.socket(socket.AF_UNIX) as lines:
            lines.settimeout(60)
            lines.connect(os.path.join(self.folder, 'lines'))
            with lines.makefile('rw') as talk:
                for level in (1, 0):
                    talk.write(f'set_irq_in {path} unnamed-gpio-in {BUTTON_LINE} {level}\n')
                    talk.flush()
                    said = talk.readline().strip()
                    if said != 'OK': raise RuntimeError(f'QEMU does not move the button: {said}')
                    if level: time.sleep(seconds)

    def console(self):
        with open(self.serial, errors='replace') as file:
            return file.read()

    def wait_console(self, pattern, seconds):
        """The first line of the serial console that matches; None after `seconds` or when the machine goes off."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = re.search(pattern, self.console())
            if found: return found
            if self.process.poll() is not None: return None
            time.sleep(0.5)
        return None


def with_panel(source, lights, button_code):
    """The text of a device tree with lights on lines of its PL061 controller, and the code of its gpio-keys button changed."""
    node = re.search(r'pl061@[0-9a-f]+ \{.*?phandle = <(0x[0-9a-f]+)>;', source, re.S)
    if not node: raise ValueError("QEMU's device tree has no pl061 controller with a phandle")
    children = '\n'.join(f'\t\tlight-{line} {{ label = "{name}"; gpios = <{node[1]} {line} 0>; default-state = "off"; }};' for name, line in lights.items())
    keys = re.search(r'\n\t(gpio-keys[^ ]*) \{.*?\n\t\t([a-z-]+) \{', source, re.S)
    if not keys: raise ValueError("QEMU's device tree has no gpio-keys button")
    return source + f'''
/ {{
\tnfr-lights {{
\t\tcompatible = "gpio-leds";
{children}
\t}};
\t{keys[1]} {{ label = "nfr-button"; {keys[2]} {{ linux,code = <{button_code}>; }}; }};
\t/* The panel's bus is i2c-1 on a Pi: number 0 is taken. */
\taliases {{ i2c0 = "{'/' + keys[1]}"; }};
}};
'''
