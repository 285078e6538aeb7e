"""From outside no TCP port answers but SSH, which was asked for; inside nothing else listens either."""
import errno
import re
import select
import socket
import time

from box import BOX, expect


def scan(address, ports, at_once=1500, seconds=2.5):
    """(open, refused): by connecting to each, as anybody could. Silence is what a firewall gives."""
    opened, refused, waiting, todo = [], 0, {}, list(ports)
    poll = select.epoll()
    while todo or waiting:
        while todo and len(waiting) < at_once:
            port = todo.pop()
            one = socket.socket()
            one.setblocking(False)
            code = one.connect_ex((address, port))
            if code == errno.EINPROGRESS:
                waiting[one.fileno()] = (one, port, time.monotonic())
                poll.register(one.fileno(), select.EPOLLOUT)
            else:
                if code == 0: opened.append(port)
                one.close()
        for number, _ in poll.poll(0.1):
            one, port, _ = waiting.pop(number)
            code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0: opened.append(port)
            elif code == errno.ECONNREFUSED: refused += 1
            poll.unregister(number)
            one.close()
        for number in [number for number, (_, _, since) in waiting.items() if time.monotonic() - since > seconds]:
            one, _, _ = waiting.pop(number)
            poll.unregister(number)
            one.close()
    return sorted(opened), refused


def check(box):
    opened, refused = scan(BOX, range(1, 65536))
    expect(opened == [22], f'open to the outside: {opened}')
    # A box without a firewall says "refused" where nobody listens.
    expect(not refused, f'{refused} ports were refused and not met with silence: the firewall is not there')
    rules = box.guest.run('nft list ruleset')
    expect(re.search(r'hook input .*policy drop', rules), f'the firewall lets in what it was not told to: {rules}')
    listening = box.guest.run("ss -H -l -n -t -u -p").splitlines()
    foreign = [line for line in listening if not ('"sshd"' in line and line.split()[4].endswith(':22')) and not any(name in line for name in ('127.0.0.', '[::1]', '"systemd-network"'))]
    expect(not foreign, f'listening inside: {foreign}')
    return f'open: 22 alone; {refused} of 65,535 refused, the others silent; inside {len(listening)} sockets, none foreign'
