"""The parts of the boot test that need no machine: run by python3 -m unittest, and by Nfr.Tests."""
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import dhcpserver     # noqa: E402
import display        # noqa: E402
import firmware       # noqa: E402
import machine        # noqa: E402
import timeserver     # noqa: E402
import traffic        # noqa: E402

AUTOBOOT = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n#nfr good=a try=- left=0 bad=-\n'


class TheFirmware(unittest.TestCase):
    def test_boots_the_partition_of_all_unless_it_was_asked_to_try(self):
        self.assertEqual(2, firmware.boot_partition(AUTOBOOT))
        self.assertEqual(3, firmware.boot_partition(AUTOBOOT, tryboot=True))
        self.assertEqual(1, firmware.boot_partition(''))

    def test_reads_512_bytes_of_autoboot_and_no_more(self):
        self.assertEqual(2, firmware.boot_partition(AUTOBOOT.ljust(512, '\n') + '[all]\nboot_partition=3\n'))

    def test_takes_of_config_what_stands_under_a_section_that_holds(self):
        text = 'kernel=vmlinuz\ninitramfs initrd.img followkernel\n[boot_partition=2]\ncmdline=cmdline-a.txt # slot a\n[boot_partition=3]\ncmdline=cmdline-b.txt\n[all]\nenable_uart=1\n'
        lines = firmware.sections(text, {'boot_partition=3'})
        self.assertEqual('cmdline-b.txt', firmware.setting(lines, 'cmdline'))
        self.assertEqual('initrd.img followkernel', firmware.setting(lines, 'initramfs'))
        self.assertEqual('1', firmware.setting(lines, 'enable_uart'))
        self.assertEqual('none', firmware.setting(lines, 'os_prefix', 'none'))

    def test_finds_primary_and_logical_partitions(self):
        def entry(kind, start, count): return struct.pack('<4xB3xII', kind, start, count)

        def record(*entries): return bytes(446) + b''.join(entries).ljust(64, b'\0') + b'\x55\xaa'
        with tempfile.NamedTemporaryFile() as file:
            file.write(record(entry(0x0c, 8, 4), entry(0x83, 12, 4), entry(0x0f, 20, 40)))
            for at, one in ((20, record(entry(0x83, 1, 5), entry(0x05, 10, 8))), (30, record(entry(0x83, 2, 6)))):
                file.seek(at * 512)
                file.write(one)
            file.flush()
            self.assertEqual({1: (8 * 512, 4 * 512), 2: (12 * 512, 4 * 512), 3: (20 * 512, 40 * 512), 5: (21 * 512, 5 * 512), 6: (32 * 512, 6 * 512)}, firmware.partitions(file.name))

    def test_says_where_there_is_no_partition_table(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(1024))
            file.flush()
            with self.assertRaisesRegex(ValueError, 'no partition table'): firmware.partitions(file.name)


class TheDisplay(unittest.TestCase):
    def test_shows_what_is_written_in_page_addressing(self):
        screen = display.Ssd1306()
        screen.message(bytes([0x00, 0xae, 0x20, 0x02, 0xb3, 0x05, 0x11, 0xaf]))
        screen.message(bytes([0x40, 0xff, 0x01]))
        self.assertTrue(screen.on)
        self.assertEqual((0xff, 0x01, 0x00), tuple(screen.memory[3 * 128 + 0x15:3 * 128 + 0x18]))
        self.assertEqual(9, screen.lit())
        self.assertTrue(screen.picture()[24][0x16] and not screen.picture()[25][0x16])

    def test_wraps_in_horizontal_addressing_and_keeps_arguments_apart_from_commands(self):
        screen = display.Ssd1306()
        screen.message(bytes([0x00, 0x20, 0x00, 0x21, 126, 127, 0x22, 7, 7, 0x81, 0xaf]))
        screen.message(bytes([0x40, 1, 2, 3]))
        self.assertFalse(screen.on)
        self.assertEqual(0xaf, screen.contrast)
        self.assertEqual((3, 2), tuple(screen.memory[7 * 128 + 126:]))

    def test_a_control_byte_with_its_highest_bit_is_for_one_byte(self):
        screen = display.Ssd1306()
        screen.message(bytes([0x80, 0xaf, 0x80, 0xb1, 0x40, 0x0f, 0xf0]))
        self.assertTrue(screen.on)
        self.assertEqual((0x0f, 0xf0), tuple(screen.memory[128:130]))

    def test_nobody_answers_at_another_address(self):
        adapter = display.I2cAdapter({display.ADDRESS: display.Ssd1306()})
        self.assertEqual((0, b''), adapter.control(0x41, 4 | 3, 0, 0x3d, 2, b'\x00\xaf'))
        self.assertEqual((0, bytes([adapter.NAK])), adapter.control(0xc1, 3, 0, 0, 1, b''))
        adapter.control(0x41, 4 | 3, 0, 0x3c, 2, b'\x00\xaf')
        self.assertEqual((0, bytes([adapter.ACK])), adapter.control(0xc1, 3, 0, 0, 1, b''))
        self.assertTrue(adapter.devices[0x3c].on)

    def test_its_adapter_introduces_itself_and_serves_control_transfers(self):
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, 'usb')
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        screen, wire = display.attach(path)
        guest, _ = server.accept()
        guest.settimeout(10)

        def take(header='<IIQ'):
            kind, length, identity = struct.unpack(header, guest.recv(struct.calcsize(header), socket.MSG_WAITALL))
            return kind, identity, guest.recv(length, socket.MSG_WAITALL) if length else b''
        guest.sendall(struct.pack('<III', 0, 68, 0) + bytes(64) + struct.pack('<I', 0x30))
        self.assertEqual([0, 5, 4, 1], [take('<III')[0], *(take()[0] for _ in range(3))])
        guest.sendall(struct.pack('<IIQ', 100, 10, 7) + struct.pack('<BBBBHHH', 0x80, 6, 0x80, 0, 0x0100, 0, 64))
        kind, identity, body = take()
        self.assertEqual((100, 7, 18, 0x0403), (kind, identity, body[10], struct.unpack('<H', body[18:20])[0]))
        guest.sendall(struct.pack('<IIQ', 100, 12, 8) + struct.pack('<BBBBHHH', 0, 7, 0x41, 0, 0, 0x3c, 2) + b'\x00\xaf')
        self.assertEqual((100, 8, struct.pack('<BBBBHHH', 0, 7, 0x41, 0, 0, 0x3c, 2)), take())
        self.assertTrue(screen.on)
        wire.close()
        self.assertIsNone(wire.fault)
        guest.close()
        server.close()


class TheMachine(unittest.TestCase):
    TREE = '/dts-v1/;\n\n/ {\n\tpl061@9030000 {\n\t\t#gpio-cells = <0x02>;\n\t\tphandle = <0x8003>;\n\t};\n\n\tgpio-keys {\n\t\tcompatible = "gpio-keys";\n\n\t\tpoweroff {\n\t\t\tgpios = <0x8003 0x03 0x00>;\n\t\t};\n\t};\n};\n'

    def test_gets_lights_and_the_button_of_the_panel(self):
        text = machine.with_panel(self.TREE, {'nfr:power': 0, 'nfr:alert': 5}, 148)
        self.assertIn('label = "nfr:alert"; gpios = <0x8003 5 0>;', text)
        self.assertIn('gpio-keys { label = "nfr-button"; poweroff { linux,code = <148>; }; };', text)

    def test_is_not_made_of_a_tree_without_a_controller(self):
        with self.assertRaisesRegex(ValueError, 'pl061'): machine.with_panel('/ {};', {}, 148)


class TheTimeServer(unittest.TestCase):
    # Version 4, mode 3, poll 6, and the time at which the client asked, which comes back.
    REQUEST = bytes([0x23, 0, 6, 0xe9]) + bytes(36) + bytes(range(8))

    def test_gives_back_when_it_was_asked_and_says_its_own_time_since_1900(self):
        said = timeserver.answer(self.REQUEST, 1000.5, 1001.25)
        self.assertEqual((48, 0x24, 2), (len(said), said[0], said[1]))
        self.assertEqual(bytes(range(8)), said[24:32])
        self.assertEqual((2208988800 + 1000, 1 << 31, 2208988800 + 1001, 1 << 30), struct.unpack('!IIII', said[32:48]))

    def test_answers_nothing_that_is_no_question(self):
        self.assertIsNone(timeserver.answer(self.REQUEST[:47], 0, 0))
        self.assertIsNone(timeserver.answer(bytes([0x24]) + self.REQUEST[1:], 0, 0))

    def test_serves_a_client(self):
        server = timeserver.TimeServer('127.0.0.1', 0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.sendto(self.REQUEST, server._socket.getsockname())
            self.assertEqual(48, len(client.recv(100)))
        server.close()


class TheDhcpServer(unittest.TestCase):
    @staticmethod
    def message(kind, *more):
        head = struct.pack('!BBBB4sHHIIII', 1, 1, 6, 0, b'\1\2\3\4', 3, 0x8000, 0, 0, 0, 0) + b'\x52\x54\0\x4e\x46\x01'.ljust(16, b'\0') + bytes(192)
        return head + dhcpserver.COOKIE + b''.join(bytes([code, len(value)]) + value for code, value in ((53, bytes([kind])), *more)) + b'\xff'

    def test_offers_and_then_gives_the_one_address_with_a_router_and_a_time_server(self):
        for asked, said in ((1, 2), (3, 5)):
            answer = dhcpserver.answer(self.message(asked), '10.99.0.77', '10.99.0.1')
            self.assertEqual((2, b'\1\2\3\4', '10.99.0.77', b'\x52\x54\0\x4e\x46\x01'), (answer[0], answer[4:8], socket.inet_ntoa(answer[16:20]), answer[28:34]))
            here = socket.inet_aton('10.99.0.1')
            self.assertEqual({53: bytes([said]), 54: here, 51: bytes([0, 0, 14, 16]), 1: bytes([255, 255, 255, 0]), 3: here, 42: here}, dhcpserver.options(answer))

    def test_says_nothing_to_who_asks_for_nothing(self):
        for message in (b'', self.message(7), self.message(1)[:239], b'\2' + self.message(1)[1:], self.message(1).replace(dhcpserver.COOKIE, b'nope')):
            self.assertIsNone(dhcpserver.answer(message, '10.99.0.77', '10.99.0.1'))


class TheTraffic(unittest.TestCase):
    def test_has_right_checksums(self):
        for frame in (*traffic.dns('192.168.77.10', '192.168.77.1', 5, 'a.example.org'), *traffic.talk('10.0.0.1', 1, '10.0.0.2', 2, b'odd', b'even')):
            length = struct.unpack('!H', frame[16:18])[0]
            packet = frame[14:14 + length]
            self.assertEqual(0, traffic.checksum(packet[:20]))
            self.assertIn(traffic.checksum(packet[12:20] + struct.pack('!BBH', 0, packet[9], length - 20) + packet[20:]), (0, 0xffff))

    def test_gives_as_many_frames_as_are_asked_for(self):
        self.assertEqual(7, len(traffic.everyday(7)))
        self.assertEqual(2 * 210, len(traffic.scan()))

    EAR = """
import socket, subprocess, traffic
for line in ('add near type veth peer name far', 'set near up', 'set far up'): subprocess.run(['ip', 'link', *line.split()], check=True)
span, box, frame = traffic.Span('near'), socket.socket(socket.AF_PACKET, socket.SOCK_RAW), traffic.everyday(1)[0]
box.bind(('far', 0))
span.heard()
span.send(traffic.everyday(5000), 100000)
box.send(frame)
print([frame in span.heard()[0]], [frame in span.heard()[0]])
for _ in range(4000): box.send(frame)
frames, missed = span.heard()
print(len(frames) + missed >= 4000, missed > 0)
"""

    @unittest.skipUnless(subprocess.run(['unshare', '--net', 'true'], capture_output=True).returncode == 0, 'needs a network of its own (root)')
    def test_hears_what_the_box_sends_behind_thousands_of_its_own_and_counts_what_it_could_not_keep(self):
        done = subprocess.run(['unshare', '--net', sys.executable, '-c', self.EAR], cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True)
        self.assertEqual('[True] [False]\nTrue True\n', done.stdout, done.stderr)


if __name__ == '__main__':
    unittest.main()
