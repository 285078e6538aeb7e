"""The same card in a Raspberry Pi 3B, as far as QEMU has one: found behind the board's own SD controller, with the device tree and the panel's overlay that the card brings, lights on the
pins of the header, no clock that knows the time, and a button that somebody leans on. Nothing is said of ports: the board's own is managed, the adapter captures."""
from box import HOST, LEASE, expect, wait_for
from checks.silent import expect_silence
from dhcpserver import DhcpServer
from ledger import all_in
from pi3 import BOARD_PORT, ADAPTER
from traffic import everyday


def power_on(box):
    """QEMU's controller loses its hub at some starts ("dwc2 3f980000.usb: Not connected"), and with it both adapters: then the plug is pulled and put in again. Returns how many starts it took."""
    for start in range(1, 4):
        box.power_on()
        said = box.machine.wait_console(r'usb: Not connected|Started nfr\.service', 420)
        if start == 3 or not said or 'Not connected' not in said[0]: return start
        box.say("QEMU's USB controller lost its hub: once more")
        box.cut()


def check(box):
    box.span.heard()
    mark = box.broker.mark()
    box.dhcp = box.dhcp or DhcpServer('nfr-mgmt', LEASE, HOST)
    starts = power_on(box)
    # Four emulated processors on two are slow together.
    inside = box.wait_recording(600)
    expect(inside is not None, f'the sensor was not recording after 600 s; {box.dhcp.asked} leases were given')
    model = box.guest.run("tr -d '\\000' < /proc/device-tree/model")
    expect('Raspberry Pi 3' in model, f'the board calls itself {model}')
    failed = box.guest.run('systemctl list-units --failed --plain --no-legend').strip()
    expect(not failed, f'units failed: {failed}')
    sources = box.guest.run('findmnt -no SOURCE / && findmnt -no SOURCE /data').split()
    expect(all(source.startswith('/dev/mmcblk0p') for source in sources), f'root and data are on {" and ".join(sources)}')
    addresses = box.guest.run('ip -4 -o addr')
    expect(f'{LEASE}/24' in addresses and BOARD_PORT in addresses, f"the board's own port is not the managed one: {addresses}")
    expect(list(box.ports()) == [ADAPTER], f'it captures from {", ".join(box.ports())}')
    words = all_in(box, everyday(600), 100, port=ADAPTER)
    expect(box.broker.wait('health', 300, after=mark), 'no heartbeat within 300 s of its recording')
    # Power beats: two flashes of 70 ms a beat, however often that is.
    seen = box.machine.watch_lights(8, every=0.02)
    expect(seen['nfr:power'][1] >= 10 and seen['nfr:power'][0] < 0.48, f'the power light does not beat: {seen}')
    expect(seen['nfr:link'][0] > 0.95, f'the link light is not steadily on: {seen}')
    expect(wait_for(lambda: box.machine.watch_lights(4)['nfr:uplink'][0] > 0.95, 90), 'the broker gets what is its and the uplink light is not steadily on')
    expect_silence(box)
    return f'{inside:.0f} s to "recording"; {model}: root and data on {" and ".join(sources)}, {BOARD_PORT} managed, {ADAPTER} captures; {words}; lights on the pins of the header; {starts} start(s)'
