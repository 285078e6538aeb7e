"""A Raspberry Pi 3B, as far as QEMU has one: its processor, its SD controller, its GPIO lines and its USB, under the device tree and the overlay that the card itself brings.
It has neither the board's USB Ethernet chip, in whose place a common adapter stands, nor a display on I2C, nor a button's pull-up, so that the button seems held for ever."""
import os

from firmware import Card
from machine import Machine, cable

# The pins of hardware/wiring.md, by light.
PINS = {'nfr:power': 17, 'nfr:link': 27, 'nfr:capture': 22, 'nfr:uplink': 23, 'nfr:alert': 24}
BOARD_MAC, ADAPTER_MAC = '40:27:eb:4e:46:01', '40:27:eb:4e:46:02'      # QEMU's begin with 40
BOARD_PORT, ADAPTER = (f'enx{mac.replace(":", "")}' for mac in (BOARD_MAC, ADAPTER_MAC))
GPIO_LEVELS = 0x3f200034      # GPLEV0 of the BCM2835's GPIO (BCM2835 ARM Peripherals, 6.1), where a Pi 3 has it


class Pi3(Machine):
    # The small UART is the console of a header. QEMU takes the start of the watchdog for its end, and two drivers claim QEMU's adapter, one of which does not know its MAC.
    CONSOLE, CARD = 'console=ttyS1,115200 8250.nr_uarts=1 module_blacklist=bcm2835_wdt,cdc_subset', 'sd'
    LEVELS = ('w', GPIO_LEVELS)

    def __init__(self, image, folder, say):
        super().__init__(image, folder, PINS, None, say)

    def _base(self):
        return ['-M', 'raspi3b', '-accel', 'tcg,thread=multi']

    def _serial(self):
        return ['-serial', 'null', '-serial', f'file:{self.serial}']

    def _devices(self, panel, screen):
        # The board's hub: its first port is where the Ethernet chip sits, the next one is a socket outside.
        return ['-dtb', self._tree(), '-device', 'usb-hub,ports=5',
                *cable('net0', 'nfr-mgmt'), '-device', f'usb-net,netdev=net0,mac={BOARD_MAC}',
                *cable('net1', 'nfr-span'), '-device', f'usb-net,netdev=net1,mac={ADAPTER_MAC}']

    def _tree(self):
        return Card(self.image).device_tree('bcm2837-rpi-3-b', os.path.join(self.folder, 'boot'))

    def power_on(self, panel=False, **options):
        return super().power_on(panel=False, **options)
