"""A real mosquitto with certificates on both sides hears the box: online, who it is, and how it is."""
from box import CAPTURE, NAME, SITE, expect
from ledger import all_in
from traffic import everyday


def check(box):
    online = box.broker.wait('status', 120, that=lambda message: 'online' in message.payload)
    expect(online, 'nothing said "online" within 120 s')
    expect(online.topic == f'nfr/{SITE}/{NAME}/status', f'the status is under {online.topic}')
    kept = {name: box.broker.retained(f'nfr/{SITE}/{NAME}/{name}') for name in ('status', 'info')}
    expect('online' in kept['status'] and kept['info'].startswith('{'), f'the broker keeps of its birth: {kept}')
    # Whatever was checked before: there is something to tell.
    all_in(box, everyday(500), 250)
    mark = box.broker.mark()
    beats = [box.broker.wait('health', 90, after=mark)]
    expect(beats[0], 'no heartbeat within 90 s')
    beats.append(box.broker.wait('health', 90, after=mark, that=lambda message: message.seconds > beats[0].seconds))
    expect(beats[1], 'no second heartbeat within 90 s')
    # Every 30 s, give or take what an emulated machine stands still.
    expect(15 < beats[1].seconds - beats[0].seconds < 60, f'{beats[1].seconds - beats[0].seconds:.0f} s lie between two heartbeats')
    health = beats[1].json
    port = next((port for port in health['ports'] if port['interface'] == CAPTURE), None)
    expect(port and port['open'] and port['packets'] > 0, f'the heartbeat says of ports: {health["ports"]}')
    return f'{beats[1].seconds - beats[0].seconds:.0f} s between two heartbeats; {port["packets"]} packets in the ledger; {len(health["troubles"])} troubles'
