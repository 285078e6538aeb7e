#!/usr/bin/env python3
"""Draws wiring.svg and network.svg. The pins are those of nfr-panel-overlay.dts and wiring.md (a test holds the three together). Run: python3 hardware/draw.py"""
import os

HERE = os.path.dirname(os.path.abspath(__file__))
FONT = 'font-family="DejaVu Sans, sans-serif"'


class Drawing:
    def __init__(self, width, height, title):
        self.parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {FONT}>',
                      f'<title>{title}</title>', f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def box(self, x, y, w, h, fill='#f3f5f7', stroke='#33414e', r=6, width=1.5):
        self.parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" fill="{fill}" stroke="{stroke}" stroke-width="{width}"/>')

    def text(self, x, y, text, size=14, anchor='start', fill='#1c252d', weight='normal'):
        text = text.replace('&', '&amp;').replace('<', '&lt;')
        self.parts.append(f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{fill}" font-weight="{weight}">{text}</text>')

    def line(self, points, colour='#33414e', width=2.5, dash='', arrow=''):
        path = ' '.join(f'{x},{y}' for x, y in points)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round" stroke-linecap="round"'
                          + (f' stroke-dasharray="{dash}"' if dash else '') + (f' marker-end="url(#{arrow})"' if arrow else '') + '/>')

    def circle(self, x, y, r, fill, stroke='#33414e', width=1.2):
        self.parts.append(f'<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}" stroke="{stroke}" stroke-width="{width}"/>')

    def raw(self, text):
        self.parts.append(text)

    def save(self, name):
        with open(os.path.join(HERE, name), 'w', encoding='utf-8') as file:
            file.write('\n'.join(self.parts + ['</svg>', '']))


def wiring():
    d = Drawing(1000, 830, 'Wiring of the NFR front panel to the 40-pin header')
    d.text(30, 40, 'Front panel on the 40-pin header', 22, weight='bold')
    d.text(30, 64, 'Pi 3B+, 4, 5 and CM4 IO board alike. Seen from above, USB sockets at the bottom. Power off while you work.', 13)

    # The header: two columns of twenty; used pins have a colour and a number beside them.
    top, step, left, right = 116, 34, 150, 184
    y = lambda pin: top + ((pin - 1) // 2) * step
    x = lambda pin: left if pin % 2 else right
    d.box(left - 24, top - 24, right - left + 48, 19 * step + 48, fill='#2b333b')
    used = {1: '#d62828', 3: '#7b2cbf', 5: '#0077b6', 9: '#111111', 11: '#2e9e44', 13: '#2e9e44', 15: '#c99700', 16: '#1d6fdc', 18: '#d62828', 20: '#111111', 29: '#8d5524', 30: '#111111'}
    names = {1: '3.3 V', 3: 'GPIO 2', 5: 'GPIO 3', 9: 'ground', 11: 'GPIO 17', 13: 'GPIO 27', 15: 'GPIO 22', 29: 'GPIO 5'}
    # The parts at the right, each with its row; wires go straight out of the header, then in lanes of their own, so that none lies on another.
    def wire(pin, lane, target_x, target_y, colour):
        # Between two rows of pins out of the left column, beside the row out of the right one.
        if pin % 2:
            out = y(pin) + step / 2
            d.line([(x(pin), y(pin)), (x(pin) + 17, out), (right + 34, out), (lane, out), (lane, target_y), (target_x, target_y)], colour)
        else:
            d.line([(x(pin), y(pin)), (lane, y(pin)), (lane, target_y), (target_x, target_y)], colour)

    # Display.
    d.box(640, 96, 320, 150)
    d.text(800, 122, 'display: SSD1306 OLED, 128 × 64, I2C', 14, 'middle', weight='bold')
    d.box(740, 136, 200, 96, fill='#101418', r=3)
    d.text(840, 178, 'NFR', 26, 'middle', '#7fd4ff', 'bold')
    d.text(840, 204, 'address 0x3C', 13, 'middle', '#7fd4ff')
    for i, (pin, lane, name) in enumerate([(1, 520, 'VCC'), (3, 500, 'SDA'), (5, 480, 'SCL'), (9, 460, 'GND')]):
        row = 146 + i * 26
        d.circle(656, row, 5, used[pin])
        d.text(668, row + 5, name, 13)
        wire(pin, lane, 651, row, used[pin])

    # LEDs.
    d.box(640, 270, 320, 330)
    d.text(800, 296, 'lights: resistor, long leg, short leg', 14, 'middle', weight='bold')
    leds = [(11, 440, 'power', '#35c759', '330 Ω'), (13, 420, 'link', '#35c759', '330 Ω'), (15, 400, 'capture', '#ffcc00', '330 Ω'), (16, 380, 'uplink', '#3a86ff', '100 Ω'), (18, 360, 'alert', '#ff3b30', '330 Ω')]
    for i, (pin, lane, name, colour, ohm) in enumerate(leds):
        row = 330 + i * 48
        wire(pin, lane, 668, row, used[pin])
        d.box(668, row - 9, 56, 18, fill='#e8d5b5', r=3, width=1.2)
        d.text(696, row + 5, ohm, 12, 'middle')
        d.line([(724, row), (752, row)], '#33414e', 2)
        d.circle(764, row, 12, colour)
        d.text(790, row + 5, name, 14, weight='bold')
        d.line([(776, row), (782, row)], '#111111', 2)
        d.line([(782, row), (782, row + 18), (912, row + 18)], '#111111', 2)
    d.line([(912, 348), (912, 574), (340, 574), (340, y(20)), (x(20), y(20))], '#111111')
    d.text(652, 592, 'all short legs together, to ground (pin 20)', 12)

    # Button.
    d.box(640, 624, 320, 110)
    d.text(800, 650, 'button: closes when pressed', 14, 'middle', weight='bold')
    d.line([(720, 690), (770, 690)], '#33414e', 3)
    d.line([(776, 676), (824, 676)], '#33414e', 4)
    d.line([(800, 676), (800, 662)], '#33414e', 3)
    d.line([(830, 690), (880, 690)], '#33414e', 3)
    d.circle(770, 690, 4, '#33414e')
    d.circle(830, 690, 4, '#33414e')
    wire(29, 320, 720, 690, used[29])
    d.line([(x(30), y(30)), (300, y(30)), (300, 760), (920, 760), (920, 690), (880, 690)], '#111111')
    d.text(652, 722, 'either way round', 12)
    # Over the wires' ends, so that every number can be read.
    for pin in range(1, 41):
        if pin == 1:
            d.raw(f'<rect x="{left - 10}" y="{top - 10}" width="20" height="20" fill="{used[1]}" stroke="#ffffff" stroke-width="1.5"/>')
        else:
            d.circle(x(pin), y(pin), 10, used.get(pin, '#9aa5af'), '#ffffff' if pin in used else '#6b7680', 1.5)
        d.text(x(pin), y(pin) + 4, str(pin), 11, 'middle', '#ffffff' if pin in used else '#333333')
    for pin, name in names.items():
        d.text(left - 32, y(pin) + 4, name, 12, 'end')
    for pin, name in {16: 'GPIO 23', 18: 'GPIO 24', 20: 'ground', 30: 'ground'}.items():
        d.text(right + 32, y(pin) - 6, name, 11)

    d.text(30, 806, 'Wires cross in the drawing only; none touch. VCC of the display is 3.3 V (pin 1), never 5 V.', 13)
    d.save('wiring.svg')


def network():
    d = Drawing(1000, 620, 'Where the NFR box sits in the network')
    d.raw('<defs><marker id="g" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="5" markerHeight="5" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#2e9e44"/></marker>'
          '<marker id="b" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="5" markerHeight="5" orient="auto"><path d="M0,0 L10,5 L0,10 z" fill="#1d6fdc"/></marker></defs>')
    d.text(30, 40, 'Where the box sits', 22, weight='bold')

    def node(x, y, w, h, title, lines, fill='#f3f5f7'):
        d.box(x, y, w, h, fill=fill)
        d.text(x + w / 2, y + 26, title, 15, 'middle', weight='bold')
        for i, line in enumerate(lines):
            d.text(x + w / 2, y + 48 + i * 18, line, 12, 'middle')

    node(40, 90, 150, 80, 'Internet', ['and other sites'])
    node(280, 90, 170, 80, 'Firewall, router', ['the way out'])
    node(280, 270, 170, 110, 'Switch', ['source: the port to', 'the firewall, both ways', 'destination: mirror port'])
    node(40, 270, 150, 110, 'Clients', ['workstations,', 'servers, printers'])
    node(620, 260, 220, 130, 'NFR box', ['second port (enx…): mirror,', 'no address, never sends', 'own port (end0): management'], '#e8f4ea')
    node(620, 90, 220, 80, 'Analytics Engine', ['or none: scored on board'])
    node(620, 480, 220, 90, 'MQTT broker', ['heartbeat, alerts, commands', '(nfr fleet, Home Assistant)'])
    node(280, 480, 170, 90, 'Management', ['a network or VLAN', 'of your own'])

    d.line([(190, 130), (280, 130)])
    d.line([(365, 170), (365, 270)], width=4)
    d.text(375, 225, 'watched line', 12)
    d.line([(190, 325), (280, 325)])
    d.line([(450, 310), (620, 310)], '#2e9e44', 4, arrow='g')
    d.text(535, 298, 'mirror (SPAN)', 13, 'middle', '#2e9e44', 'bold')
    d.line([(620, 365), (540, 365), (540, 525), (450, 525)], '#1d6fdc', 2.5)
    d.text(548, 440, 'own port', 13, fill='#1d6fdc', weight='bold')
    d.line([(365, 480), (365, 380)], '#1d6fdc', 2.5)
    d.text(375, 435, 'same switch or another', 12)
    d.line([(730, 260), (730, 170)], '#1d6fdc', 2, '6 5', 'b')
    d.text(740, 222, 'events by HTTPS', 12, fill='#1d6fdc')
    d.line([(730, 390), (730, 480)], '#1d6fdc', 2, '6 5', 'b')
    d.text(740, 440, 'MQTT over TLS', 12, fill='#1d6fdc')
    d.text(30, 604, 'Solid: cables. Dashed: what the box says, all of it out of its own port. With a TAP, that sits in the watched line, and its monitor port goes to the second port.', 12)
    d.save('network.svg')


wiring()
network()
