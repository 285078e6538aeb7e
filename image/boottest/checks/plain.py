"""nfr.txt as most will write it: a broker, a key, and no word of ports, addresses or time, with a clock in 1970. The first port is managed and gets its address and its time server by
DHCP, the other captures, and the broker's certificate is believed as soon as the time is known."""
import time

from box import CAPTURE, HOST, LEASE, MANAGEMENT, expect
from checks.silent import expect_silence
from dhcpserver import DhcpServer
from ledger import all_in
from traffic import everyday


def check(box):
    box.span.heard()
    mark = box.broker.mark()
    began = time.monotonic()
    box.dhcp = DhcpServer('nfr-mgmt', LEASE, HOST)
    # Two drivers claim the adapter of late_card, since it has a gadget's number; the other one knows nothing of its MAC.
    box.power_on(clock='1970-01-01T00:00:00', append='module_blacklist=cdc_subset')
    inside = box.wait_recording()
    expect(inside is not None, f'the sensor was not recording after 420 s; {box.dhcp.asked} leases were given')
    beat = box.broker.wait('health', 300, after=mark)
    expect(beat, 'no heartbeat within 300 s of its recording')
    seconds = time.monotonic() - began
    routes = box.guest.run('ip -4 -o addr; ip route')
    expect(f'{LEASE}/24' in routes and MANAGEMENT in routes, f'its addresses and routes: {routes}')
    expect(CAPTURE not in routes, f'the capture port has an address or a route: {routes}')
    sources = box.guest.run('chronyc -n sources')
    expect(HOST in sources, f"chrony does not ask the time server that DHCP named: {sources}")
    ports = box.ports()
    expect(list(ports) == [CAPTURE], f'it captures from {", ".join(ports)}')
    words = all_in(box, everyday(1000), 250)
    report = box.guest.run('cat /run/nfr-boot/report')
    expect('Everything in nfr.txt was understood' in report and f'management = {MANAGEMENT}' in report, f'nfr.txt.report: {report}')
    expect_silence(box)
    return f'{inside:.0f} s to "recording" in the box, {seconds:.0f} s to the first heartbeat; {MANAGEMENT} has {LEASE} by DHCP, {CAPTURE} captures; {words}'
