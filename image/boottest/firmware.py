"""What the Pi's firmware does before the kernel, from the image's own files: autoboot.txt names the slot's partition, config.txt there names kernel,
initramfs and command line. QEMU runs no such firmware, so the test reads the same files and hands QEMU what they name. Files are reached by mtools."""
import os
import re
import struct
import subprocess

SECTOR = 512


def partitions(image):
    """Partition number to (offset, bytes), of an MBR with logical partitions."""
    found = {}
    with open(image, 'rb') as disk:
        def table(sector):
            disk.seek(sector * SECTOR)
            record = disk.read(SECTOR)
            if len(record) < SECTOR or record[510:] != b'\x55\xaa':
                raise ValueError(f'{image}: no partition table at sector {sector}')
            return [struct.unpack('<4xB3xII', record[446 + 16 * i:462 + 16 * i]) for i in range(4)]
        outer = None
        for number, (kind, start, count) in enumerate(table(0), 1):
            if count:
                found[number] = (start * SECTOR, count * SECTOR)
            if kind in (0x05, 0x0f):
                outer = start
        number, link = 5, outer
        while link is not None:
            logical, following = table(link)[:2]
            if logical[2]:
                found[number] = ((link + logical[1]) * SECTOR, logical[2] * SECTOR)
            number += 1
            link = outer + following[1] if following[2] else None
    return found


def sections(text, conditions):
    """The settings of a config.txt or autoboot.txt whose [section] holds, in order. `conditions` is the set of sections that hold beside "all"."""
    holds, settings = True, []
    for line in text.splitlines():
        line = line.split('#', 1)[0].strip()
        header = re.fullmatch(r'\[(.+)\]', line)
        if header:
            holds = header[1] == 'all' or header[1] in conditions
        elif line and holds:
            settings.append(line)
    return settings


def setting(lines, name, default=None):
    """The last value wins, as in the firmware; `initramfs` is written with a space where others have an equals sign."""
    value = default
    for line in lines:
        key, _, rest = line.partition(' ' if line.startswith('initramfs ') else '=')
        if key.strip() == name:
            value = rest.strip()
    return value


def boot_partition(autoboot, tryboot=False):
    """The partition that autoboot.txt (its text, of which the firmware reads 512 bytes) sends the firmware to; 1 without a word of it."""
    lines = sections(autoboot[:512], {'tryboot'} if tryboot else set())
    return int(setting(lines, 'boot_partition', '1'))


class Card:
    """An image file as the firmware sees it."""

    def __init__(self, image):
        self.image = image
        self.partitions = partitions(image)

    def _at(self, partition):
        return f'{self.image}@@{self.partitions[partition][0]}'

    def _mtools(self, tool, *arguments, data=None):
        done = subprocess.run([tool, *arguments], input=data, capture_output=True, env={**os.environ, 'MTOOLS_SKIP_CHECK': '1', 'MTOOLSRC': '/dev/null'})
        if done.returncode:
            raise FileNotFoundError(f'{tool} {" ".join(arguments)}: {done.stderr.decode(errors="replace").strip()}')
        return done.stdout

    def read(self, partition, name):
        return self._mtools('mcopy', '-i', self._at(partition), f'::{name}', '-')

    def write(self, partition, name, data):
        self._mtools('mcopy', '-o', '-D', 'o', '-i', self._at(partition), '-', f'::{name}', data=data)

    def delete(self, partition, name):
        self._mtools('mdel', '-i', self._at(partition), f'::{name}')

    def exists(self, partition, name):
        try:
            self.read(partition, name)
            return True
        except FileNotFoundError:
            return False

    def boot(self, folder):
        """Copies what the firmware would start into `folder`. Returns (partition, kernel, initrd, command line)."""
        partition = boot_partition(self.read(1, 'autoboot.txt').decode())
        lines = sections(self.read(partition, 'config.txt').decode(), {f'boot_partition={partition}', 'pi4'})
        kernel = setting(lines, 'kernel', 'kernel8.img')
        initrd = setting(lines, 'initramfs')
        os.makedirs(folder, exist_ok=True)
        paths = []
        for role, name in (('kernel', kernel), ('initrd', initrd.split()[0] if initrd else None)):
            path = None
            if name:
                path = os.path.join(folder, role)
                with open(path, 'wb') as out:
                    out.write(self.read(partition, name))
            paths.append(path)
        line = self.read(partition, setting(lines, 'cmdline', 'cmdline.txt')).decode().strip()
        return partition, paths[0], paths[1], line

    def device_tree(self, board, folder):
        """The device tree of `board` (a file name of the slot without .dtb) with every overlay that config.txt names put on it. Returns its path."""
        partition = boot_partition(self.read(1, 'autoboot.txt').decode())
        lines = sections(self.read(partition, 'config.txt').decode(), {f'boot_partition={partition}'})
        overlays = [line.removeprefix('dtoverlay=').split(',')[0] for line in lines if line.startswith('dtoverlay=')]
        os.makedirs(folder, exist_ok=True)
        files = []
        for name in (f'{board}.dtb', *(f'overlays/{one}.dtbo' for one in overlays)):
            files.append(os.path.join(folder, os.path.basename(name)))
            with open(files[-1], 'wb') as out: out.write(self.read(partition, name))
        whole = os.path.join(folder, 'board.dtb')
        subprocess.run(['fdtoverlay', '-i', files[0], '-o', whole, *files[1:]], check=True, capture_output=True)
        return whole
