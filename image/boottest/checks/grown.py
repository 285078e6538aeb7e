"""The data partition has grown to the card."""
import os

from box import expect


def check(box):
    size = int(box.guest.run('df --output=size -B1 /data').split()[-1])
    card = os.path.getsize(box.card.image)
    start = box.card.partitions[7][0]
    expect(size > (card - start) * 0.9, f'/data has {size >> 20} MiB of the {(card - start) >> 20} MiB behind its beginning')
    return f'{size >> 20} MiB on a card of {card >> 20} MiB'
