"""An update that is not ours, and one that is older, are refused in words and change nothing."""
from box import expect


def check(box):
    slots = box.guest.run('/usr/lib/nfr/nfr-slot state').strip()
    words = []
    for bundle, why in ((box.bundles.forged(), 'signed by none'), (box.bundles.older(), 'an older system')):
        said = box.guest.try_run(f'nfr update --no-reboot {box.bundles.serve(bundle)}', 300)
        expect(said.code, f'{bundle} was taken')
        # A server that is away fails too, and would show nothing.
        text = (said.error or said.out).strip()
        expect(why in text, f'{bundle} was refused for another reason: {text}')
        words.append(text.splitlines()[-1])
    expect(box.guest.run('/usr/lib/nfr/nfr-slot state').strip() == slots, 'a refused update changed the slots')
    return '; '.join(words)
