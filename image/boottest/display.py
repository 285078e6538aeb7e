"""The display on the virtual box, seen from outside: an SSD1306 (128x64, I2C address 0x3c) behind a USB adapter of the kind that the kernel's driver
i2c-tiny-usb knows, spoken to QEMU by the usbredir protocol. The guest uses its real I2C stack, nothing of the test runs in it."""
import os
import socket
import struct
import threading
import time
import zlib

ADDRESS = 0x3c
WIDTH, PAGES = 128, 8


class Ssd1306:
    """The controller's memory and the commands that move its write position (data sheet 1.1, sections 9 and 10). Unknown commands are counted."""
    ARGUMENTS = {0x20: 1, 0x21: 2, 0x22: 2, 0x26: 6, 0x27: 6, 0x29: 5, 0x2a: 5, 0x81: 1, 0x8d: 1, 0xa3: 2, 0xa8: 1, 0xd3: 1, 0xd5: 1, 0xd9: 1, 0xda: 1, 0xdb: 1}

    def __init__(self):
        self.memory = bytearray(WIDTH * PAGES)
        self.on = False
        self.writes = 0
        self.inverted = False
        self.contrast = 0x7f
        self._mode, self._columns, self._pages = 2, (0, WIDTH - 1), (0, PAGES - 1)
        self._column = self._page = 0
        self._wanted, self._command = 0, []

    def message(self, data):
        """One I2C write: control bytes with Co = 1 are followed by one byte, the last one (Co = 0) by all that is left."""
        at = 0
        while at < len(data):
            control = data[at]
            end = len(data) if not control & 0x80 else min(at + 2, len(data))
            for byte in data[at + 1:end]:
                self._data(byte) if control & 0x40 else self._byte(byte)
            at = end

    def _byte(self, byte):
        self._command.append(byte)
        if len(self._command) == 1:
            self._wanted = self.ARGUMENTS.get(byte, 0)
        if len(self._command) <= self._wanted:
            return
        (code, *arguments), self._command = self._command, []
        if code in (0xae, 0xaf): self.on = code == 0xaf
        elif code in (0xa6, 0xa7): self.inverted = code == 0xa7
        elif code == 0x81: self.contrast = arguments[0]
        elif code == 0x20: self._mode = arguments[0] & 3
        elif code == 0x21: self._columns = (arguments[0] & 127, arguments[1] & 127); self._column = self._columns[0]
        elif code == 0x22: self._pages = (arguments[0] & 7, arguments[1] & 7); self._page = self._pages[0]
        elif code <= 0x0f: self._column = self._column & 0xf0 | code
        elif code <= 0x1f: self._column = self._column & 0x0f | (code & 7) << 4
        elif 0xb0 <= code <= 0xb7: self._page = code & 7

    def _data(self, byte):
        self.memory[self._page * WIDTH + self._column] = byte
        self.writes += 1
        if self._mode == 2:
            self._column = (self._column + 1) % WIDTH
        elif self._mode == 0:
            self._column += 1
            if self._column > self._columns[1]:
                self._column = self._columns[0]
                self._page = self._page + 1 if self._page < self._pages[1] else self._pages[0]
        else:
            self._page += 1
            if self._page > self._pages[1]:
                self._page = self._pages[0]
                self._column = self._column + 1 if self._column < self._columns[1] else self._columns[0]

    def lit(self):
        return sum(bin(byte).count('1') for byte in self.memory)

    def picture(self):
        """Rows of booleans as a viewer sees them."""
        return [[bool(self.memory[y // 8 * WIDTH + x] >> y % 8 & 1) != self.inverted for x in range(WIDTH)] for y in range(PAGES * 8)]

    def save(self, path, scale=4):
        """A PNG, light on dark."""
        rows = b''.join((b'\0' + b''.join((b'\xff' if on else b'\x10') * scale for on in row)) * scale for row in self.picture())

        def chunk(kind, body):
            return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
        with open(path, 'wb') as out:
            out.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', WIDTH * scale, PAGES * 8 * scale, 8, 0, 0, 0, 0))
                      + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))


class I2cAdapter:
    """i2c-tiny-usb as drivers/i2c/busses/i2c-tiny-usb.c asks for it: vendor requests on endpoint 0. Returns (status, answer) of one control transfer."""
    OK, STALL = 0, 4
    ECHO, GET_FUNC, SET_DELAY, GET_STATUS, IO = 0, 1, 2, 3, 4
    ACK, NAK = 1, 2
    FUNCTIONS = 0x00000001 | 0x0eff0000     # plain I2C, and SMBus emulated on top of it
    DEVICE = struct.pack('<BBHBBBBHHHBBBB', 18, 1, 0x0110, 0, 0, 0, 64, 0x0403, 0xc631, 0x0100, 0, 0, 0, 1)
    CONFIGURATION = struct.pack('<BBHBBBBB', 9, 2, 18, 1, 1, 0, 0x80, 50) + struct.pack('<BBBBBBBBB', 9, 4, 0, 0, 0, 0, 0, 0, 0)

    def __init__(self, devices):
        self.devices, self._status = devices, 0

    def control(self, kind, request, value, index, length, data):
        if kind & 0x60 == 0:     # standard
            if request == 6:
                body = {1: self.DEVICE, 2: self.CONFIGURATION}.get(value >> 8)
                return (self.OK, body[:length]) if body else (self.STALL, b'')
            if request == 0: return self.OK, b'\0\0'[:length]
            return (self.OK, b'') if not kind & 0x80 else (self.STALL, b'')
        if request == self.GET_FUNC: return self.OK, struct.pack('<I', self.FUNCTIONS)[:length]
        if request == self.SET_DELAY: return self.OK, b''
        if request == self.GET_STATUS: return self.OK, bytes([self._status])
        if request == self.ECHO: return self.OK, struct.pack('<H', value)[:length]
        if self.IO <= request <= self.IO | 3:
            device = self.devices.get(index)
            self._status = self.ACK if device else self.NAK
            if value & 1: return self.OK, bytes(length)     # an SSD1306 answers nothing of use
            if device: device.message(data)
            return self.OK, b''
        return self.STALL, b''


class UsbRedirect:
    """The side of usbredir (protocol 0.7) that has the device. One thread, ended by close()."""
    HELLO, CONNECT, RESET, INTERFACES, ENDPOINTS, SET_CONFIGURATION, GET_CONFIGURATION, CONFIGURATION = 0, 1, 3, 4, 5, 6, 7, 8
    SET_ALTERNATE, GET_ALTERNATE, ALTERNATE, CONTROL = 9, 10, 11, 100

    def __init__(self, path, adapter):
        self._adapter, self._socket = adapter, socket.socket(socket.AF_UNIX)
        self.fault = None
        self._socket.connect(path)
        self._configuration = 1
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        try: self._socket.shutdown(socket.SHUT_RDWR)
        except OSError: pass
        self._socket.close()
        self._thread.join(5)

    def _send(self, kind, identity, body):
        header = struct.pack('<III', kind, len(body), identity) if kind == self.HELLO else struct.pack('<IIQ', kind, len(body), identity)
        self._socket.sendall(header + body)

    def _take(self, count):
        data = b''
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part: raise EOFError
            data += part
        return data

    def _run(self):
        try:
            # Capabilities without which QEMU puts no device on an xHCI port: packet sizes of endpoints (4), long bulk packets (6), ids of 64 bits (5) in every header
            # but that of the hello.
            self._send(self.HELLO, 0, b'nfr boot test'.ljust(64, b'\0') + struct.pack('<I', 1 << 4 | 1 << 5 | 1 << 6))
            greeted = False
            while True:
                kind, length = struct.unpack('<II', self._take(8))
                identity, = struct.unpack('<Q' if greeted else '<I', self._take(8 if greeted else 4))
                body = self._take(length)
                if kind == self.HELLO and not greeted:
                    if not struct.unpack('<I', body[64:68])[0] & 1 << 5: raise ValueError('QEMU speaks usbredir without ids of 64 bits')
                    greeted = True
                    none = bytes([255]) * 32
                    self._send(self.ENDPOINTS, 0, bytes([0]) + none[1:16] + bytes([0]) + none[17:] + bytes(32) + bytes(32) + struct.pack('<32H', *[64 if number in (0, 16) else 0 for number in range(32)]))
                    self._send(self.INTERFACES, 0, struct.pack('<I', 1) + bytes(32 * 4))
                    self._send(self.CONNECT, 0, struct.pack('<BBBBHH', 1, 0, 0, 0, 0x0403, 0xc631))
                elif kind == self.SET_CONFIGURATION:
                    self._configuration = body[0]
                    self._send(self.CONFIGURATION, identity, bytes([0, self._configuration]))
                elif kind == self.GET_CONFIGURATION:
                    self._send(self.CONFIGURATION, identity, bytes([0, self._configuration]))
                elif kind in (self.SET_ALTERNATE, self.GET_ALTERNATE):
                    self._send(self.ALTERNATE, identity, bytes([0, body[0], 0]))
                elif kind == self.CONTROL:
                    endpoint, request, request_type, _, value, index, size = struct.unpack('<BBBBHHH', body[:10])
                    status, answer = self._adapter.control(request_type, request, value, index, size, body[10:])
                    reading = request_type & 0x80
                    header = struct.pack('<BBBBHHH', endpoint, request, request_type, status, value, index, len(answer) if reading else (size if status == 0 else 0))
                    self._send(self.CONTROL, identity, header + (answer if reading else b''))
        except (EOFError, OSError):
            pass
        except Exception as fault:     # what is wrong here must be seen by the check that waits for a picture
            self.fault = repr(fault)


def attach(path, seconds=10):
    """A display on the QEMU socket `path`: (controller, connection)."""
    until = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > until: raise TimeoutError(f'QEMU made no socket {path}')
        time.sleep(0.1)
    display = Ssd1306()
    return display, UsbRedirect(path, I2cAdapter({ADDRESS: display}))
