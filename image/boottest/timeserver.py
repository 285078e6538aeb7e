"""A time server outside of the box: what the network's would answer (RFC 5905, SNTP), with this machine's own time. Without one, a box whose clock is wrong keeps it wrong
and refuses certificates that are not valid yet, as it should."""
import socket
import struct
import threading
import time

EPOCH = 2208988800     # 1900 to 1970, in seconds


def stamp(seconds):
    """NTP's 64 bits: seconds since 1900, and 2^-32 of them."""
    return struct.pack('!II', int(seconds) + EPOCH & 0xffffffff, int(seconds % 1 * (1 << 32)) & 0xffffffff)


def answer(request, received, sent):
    """48 bytes for a client's request (mode 3) that arrived at `received` and is answered at `sent`, both Unix times; None for what is none."""
    if len(request) < 48 or request[0] & 7 != 3: return None
    version = request[0] >> 3 & 7
    # No leap second, mode 4, stratum 2, precision 2^-20 s; root delay 0, root dispersion 1/256 s.
    head = struct.pack('!BBbb', version << 3 | 4, 2, max(int.from_bytes(request[2:3], 'big', signed=True), 4), -20) + struct.pack('!II', 0, 256)
    return head + socket.inet_aton('127.127.1.1') + stamp(received - 16) + request[40:48] + stamp(received) + stamp(sent)


class TimeServer:
    """Answers at `address` until close(); `answered` counts."""

    def __init__(self, address, port=123):
        self.answered = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.5)
        self.is_open = self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while self._open:
            try: request, client = self._socket.recvfrom(512)
            except TimeoutError: continue
            except OSError: return
            received = time.time()
            said = answer(request, received, time.time())
            if said is None: continue
            try: self._socket.sendto(said, client)
            except OSError: continue
            self.answered += 1

    def close(self):
        self.is_open = self._open = False
        self._thread.join(5)
        self._socket.close()
