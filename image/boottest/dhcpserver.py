"""A DHCP server outside of the box, as a router at home has one (RFC 2131, options of RFC 2132): one address for whoever asks, and where the time is to be had."""
import socket
import struct
import threading

COOKIE = bytes.fromhex('63825363')
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
SUBNET_MASK, ROUTER, NTP_SERVERS, LEASE_TIME, MESSAGE_TYPE, SERVER_ID, END = 1, 3, 42, 51, 53, 54, 255


def options(message):
    """Option code to its bytes."""
    found, at = {}, 240
    while at < len(message) and message[at] != END:
        if message[at] == 0:
            at += 1
            continue
        if at + 1 >= len(message): break
        length = message[at + 1]
        found[message[at]] = message[at + 2:at + 2 + length]
        at += 2 + length
    return found


def answer(request, offered, server, lease=3600):
    """What is said to a client's message, in bytes; None where it asks for nothing. The address and the server's are text; the server is router and time server too."""
    if len(request) < 240 or request[0] != 1 or request[236:240] != COOKIE: return None
    kind = {bytes([DISCOVER]): OFFER, bytes([REQUEST]): ACK}.get(options(request).get(MESSAGE_TYPE))
    if kind is None: return None
    here = socket.inet_aton(server)
    # op, htype, hlen, hops; xid; secs, flags; ciaddr; yiaddr, siaddr, giaddr; chaddr, sname, file.
    head = b'\x02' + request[1:3] + b'\0' + request[4:8] + b'\0\0' + request[10:12] + request[12:16] + socket.inet_aton(offered) + here + bytes(4) + request[28:44] + bytes(192)

    def option(code, value): return bytes([code, len(value)]) + value
    return (head + COOKIE + option(MESSAGE_TYPE, bytes([kind])) + option(SERVER_ID, here) + option(LEASE_TIME, struct.pack('!I', lease)) + option(SUBNET_MASK, bytes([255, 255, 255, 0]))
            + option(ROUTER, here) + option(NTP_SERVERS, here) + bytes([END]))


class DhcpServer:
    """Answers on one interface until close(), to all who hear: the client has no address yet. `asked` counts the leases."""

    def __init__(self, interface, offered, server):
        self.asked, self._offered, self._server = 0, offered, server
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        self._socket.bind(('', 67))
        self._socket.settimeout(0.5)
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while self._open:
            try: request, client = self._socket.recvfrom(2048)
            except TimeoutError: continue
            except OSError: return
            said = answer(request, self._offered, self._server)
            if said is None: continue
            # One that renews has its address and is spoken to there.
            try: self._socket.sendto(said, client if client[0] != '0.0.0.0' else ('255.255.255.255', 68))
            except OSError: continue
            self.asked += options(said)[MESSAGE_TYPE] == bytes([ACK])

    def close(self):
        self._open = False
        self._thread.join(5)
        self._socket.close()
