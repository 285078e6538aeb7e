"""An update that is not ours, and one that is older, are refused in words and change nothing; the log has both, and the broker the last one."""
from box import expect


def check(box):
    slots = box.guest.run('/usr/lib/nfr/nfr-slot state').strip()
    words, mark = [], box.broker.mark()
    for bundle, why in ((box.bundles.forged(), 'signed by none'), (box.bundles.older(), 'an older system')):
        said = box.guest.try_run(f'nfr update --no-reboot {box.bundles.serve(bundle)}', 300)
        lines = (said.error or said.out).strip().splitlines()
        expect(said.code, f'{bundle} was taken')
        # 255 is SSH's own, for a box that did not answer any more; a server that is away fails too, and would show nothing.
        expect(said.code != 255 and lines, f'{bundle}: the command ended with {said.code} and said {lines}')
        expect(why in '\n'.join(lines), f'{bundle} was refused for another reason: {lines}')
        words.append(lines[-1])
    expect(box.guest.run('/usr/lib/nfr/nfr-slot state').strip() == slots, 'a refused update changed the slots')
    log = box.guest.run('journalctl -b -t nfr-update -o cat --no-pager')
    expect('signed by none' in log and 'an older system' in log, f'the log says of updates: {log.strip() or "nothing"}')
    told = box.broker.wait('health', 150, after=mark, that=lambda message: any(trouble['place'] == 'update' and 'an older system' in trouble['what'] for trouble in message.json['troubles']))
    expect(told, 'no heartbeat within 150 s tells of the update that was not taken')
    return '; '.join(words)
