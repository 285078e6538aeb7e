"""What the box is shown at its capture port: frames made here, sent into the machine's second port by a packet socket on the host's side of it."""
import socket
import struct
import threading
import time

INSIDE_MAC, OUTSIDE_MAC = bytes.fromhex('025056010101'), bytes.fromhex('025056010102')


def checksum(data):
    if len(data) % 2: data += b'\0'
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(source, destination, protocol, body, outward=True):
    """An Ethernet frame of at least 60 bytes around an IPv4 packet (RFC 791)."""
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    header = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0) + ends
    header = header[:10] + struct.pack('!H', checksum(header)) + header[12:]
    macs = OUTSIDE_MAC + INSIDE_MAC if outward else INSIDE_MAC + OUTSIDE_MAC
    return (macs + b'\x08\x00' + header + body).ljust(60, b'\0')


def udp(source, source_port, destination, port, payload, outward=True):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    body = struct.pack('!HHHH', source_port, port, 8 + len(payload), 0) + payload
    body = body[:6] + struct.pack('!H', checksum(ends + struct.pack('!BBH', 0, 17, len(body)) + body) or 0xffff) + body[8:]
    return ipv4(source, destination, 17, body, outward)


SYN, RST, ACK, PSH, FIN = 0x02, 0x04, 0x10, 0x08, 0x01


def tcp(source, source_port, destination, port, sequence, acknowledged, flags, payload=b'', outward=True):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    body = struct.pack('!HHIIBBHHH', source_port, port, sequence, acknowledged, 5 << 4, flags, 64240, 0, 0) + payload
    body = body[:16] + struct.pack('!H', checksum(ends + struct.pack('!BBH', 0, 6, len(body)) + body)) + body[18:]
    return ipv4(source, destination, 6, body, outward)


def dns(client, resolver, number, name):
    """A question for an address and its answer: two frames, one DNS event."""
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'
    question = labels + struct.pack('!HH', 1, 1)
    port = 20000 + number % 40000
    ask = struct.pack('!HHHHHH', number & 0xffff, 0x0100, 1, 0, 0, 0) + question
    answer = struct.pack('!HHHHHH', number & 0xffff, 0x8180, 1, 1, 0, 0) + question + b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 300, 4) + bytes([198, 51, 100, number % 254 + 1])
    return [udp(client, port, resolver, 53, ask), udp(resolver, 53, client, port, answer, outward=False)]


def talk(client, port, server, server_port, said, answered):
    """A whole TCP connection: opened, a line each way, closed."""
    mine, theirs = 1000, 5000
    frames = [tcp(client, port, server, server_port, mine, 0, SYN), tcp(server, server_port, client, port, theirs, mine + 1, SYN | ACK, outward=False),
              tcp(client, port, server, server_port, mine + 1, theirs + 1, ACK), tcp(client, port, server, server_port, mine + 1, theirs + 1, PSH | ACK, said)]
    mine += 1 + len(said)
    frames.append(tcp(server, server_port, client, port, theirs + 1, mine, PSH | ACK, answered, outward=False))
    theirs += 1 + len(answered)
    return frames + [tcp(client, port, server, server_port, mine, theirs, FIN | ACK), tcp(server, server_port, client, port, theirs, mine + 1, FIN | ACK, outward=False),
                     tcp(client, port, server, server_port, mine + 1, theirs + 1, ACK)]


def everyday(count):
    """`count` frames of DNS from a handful of machines: names that nobody is alarmed by."""
    frames = []
    number = 0
    while len(frames) < count:
        frames += dns(f'192.168.77.{10 + number % 5}', '192.168.77.1', number, f'host-{number % 40}.example.org')
        number += 1
    return frames[:count]


def scan(scanner='192.168.77.66', hosts=range(100, 110), ports=(21, 22, 23, 25, 80, 88, 111, 135, 139, 143, 389, 443, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6000, 8443)):
    """A port scan of one network: each port asked, each refused. What "nfr simulate scan" does."""
    frames, number = [], 0
    for host in hosts:
        for port in ports:
            number += 1
            target = f'192.168.77.{host}'
            frames += [tcp(scanner, 40000 + number, target, port, number, 0, SYN), tcp(target, port, scanner, 40000 + number, 0, number + 1, RST | ACK, outward=False)]
    return frames


def backdoor():
    """A connection to a port that nobody should use (scoring.bad_ports)."""
    return talk('192.168.77.67', 41000, '203.0.113.9', 31337, b'id\n', b'uid=0(root)\n')


class Span:
    """The host's side of the capture port."""
    # What the guest sends would come here: it must be silent. Our own frames are left out by the kernel, since they would fill the socket's room until it is
    # deaf (linux/if_packet.h; SOL_PACKET is 263).
    ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 3, 263, 6, 23

    def __init__(self, interface):
        self.interface, self.sent = interface, 0
        self._out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._out.bind((interface, 0))
        # Without a protocol it hears nothing before all is set.
        self._in = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._in.setsockopt(self.SOL_PACKET, self.PACKET_IGNORE_OUTGOING, 1)
        self._in.bind((interface, self.ETH_P_ALL))
        self._in.setblocking(False)

    def send(self, frames, per_second=500):
        """Sends and returns how many. Evenly: an emulated machine has no room for bursts, and loss would be QEMU's, not the sensor's."""
        start = time.monotonic()
        for number, frame in enumerate(frames):
            due = start + number / per_second
            time.sleep(max(0.0, due - time.monotonic()))
            self._out.send(frame)
            self.sent += 1
        return len(frames)

    def heard(self):
        """Frames that came out of the box's capture port since the last call, and how many more there was no room for: there must be none."""
        frames = []
        while True:
            try: frames.append(self._in.recv(65536))
            except BlockingIOError: break
        _, missed = struct.unpack('II', self._in.getsockopt(self.SOL_PACKET, self.PACKET_STATISTICS, 8))
        return frames, missed

    def close(self):
        self._out.close()
        self._in.close()


class Feed:
    """Everyday traffic while the block runs: a port that hears nothing for half a minute is a fault of its own, which a light shows before others."""

    def __init__(self, span, per_second=100):
        self._span, self._per_second, self._stop = span, per_second, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.is_set(): self._span.send(everyday(self._per_second), self._per_second)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def pcap(frames, path, start=1700000000, gap=0.01):
    """The frames as a capture file, to ask a sensor at hand what it makes of them."""
    with open(path, 'wb') as out:
        out.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            stamp = start + number * gap
            out.write(struct.pack('<IIII', int(stamp), int(stamp % 1 * 1000000), len(frame), len(frame)) + frame)
