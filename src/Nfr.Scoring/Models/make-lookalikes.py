#!/usr/bin/env python3
"""Makes confusables.bin and words.bin, which ship inside. Usage: make-lookalikes.py confusables.txt american-english

confusables.txt is Unicode's (UTS 39), american-english is the word list of Debian's wamerican (SCOWL). README.md has their notices.

confusables.bin: which ASCII letters and digits a code point passes for. Little-endian: u16 entries, u16 texts; per text u8 length and that
many bytes; per entry u32 = code point | text << 21, by ascending code point. A combining mark has the empty text.
words.bin: a Bloom filter of 2^20 bits over the words of 2 to 12 letters, six probes (WordFilter.cs has the hash).
"""
import re
import struct
import sys
import unicodedata

# Letters that pass for Latin ones in print and that UTS 39 keeps apart, because a careful eye can tell them from each other.
EXTRA = dict(zip("ькмтвнпгяԍԝԁəƅʉɯıĸαβεηκνοπρτυχωɩӏ", "bkmtbhnrrgwdabumikabenkvonptuxwil"))


def base(c):
    """The letter that a letter with a stroke, hook or tail is made from, by its name."""
    m = re.match(r"LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL )?([A-Z])(?: WITH .*)?$", unicodedata.name(c, ""))
    return m.group(1).lower() if m else None


def text_of(c, confusable, depth=0):
    """What a code point passes for; None when it passes for nothing in ASCII."""
    out = ""
    for d in unicodedata.normalize("NFKD", c):
        if unicodedata.category(d) in ("Mn", "Me", "Cf"):
            continue
        if d.isascii():
            out += d.lower()
        elif d in EXTRA:
            out += EXTRA[d]
        elif d in confusable and depth < 4 and (t := text_of_all(confusable[d], confusable, depth + 1)) is not None:
            out += t
        elif base(d):
            out += base(d)
        else:
            return None
    return out if all(ch.isalnum() or ch == "-" for ch in out) else None


def text_of_all(s, confusable, depth):
    parts = [text_of(c, confusable, depth) for c in s]
    return None if None in parts else "".join(parts)


def confusables(path):
    confusable = {}
    for line in open(path, encoding="utf-8-sig"):
        line = line.split("#")[0].strip()
        if line:
            source, target = [x.split() for x in line.split(";")[:2]]
            confusable[chr(int(source[0], 16))] = "".join(chr(int(x, 16)) for x in target)
    entries = {}
    for cp in range(0x80, 0x1F200):
        c = chr(cp)
        if unicodedata.category(c) in ("Cn", "Cs", "Co", "Cc"):
            continue
        t = text_of(c, confusable)
        if t is not None and len(t) <= 3:
            entries[cp] = t
    texts = sorted(set(entries.values()))
    with open("confusables.bin", "wb") as f:
        f.write(struct.pack("<HH", len(entries), len(texts)))
        for t in texts:
            f.write(bytes([len(t)]) + t.encode())
        for cp in sorted(entries):
            f.write(struct.pack("<I", cp | texts.index(entries[cp]) << 21))
    print(len(entries), "code points,", len(texts), "texts")


def words(path):
    bits = bytearray(1 << 17)
    count = 0
    for word in {w.strip().lower() for w in open(path, encoding="utf-8")}:
        if not (2 <= len(word) <= 12 and word.isascii() and word.isalpha()):
            continue
        count += 1
        h = 0xCBF29CE484222325
        for c in word.encode():
            h = (h ^ c) * 0x100000001B3 & (1 << 64) - 1
        h ^= h >> 29
        h = h * 0x9E3779B97F4A7C15 & (1 << 64) - 1
        h ^= h >> 32
        for i in range(6):
            at = (h + i * (h >> 32 | 1)) & (1 << 20) - 1
            bits[at >> 3] |= 1 << (at & 7)
    open("words.bin", "wb").write(bits)
    print(count, "words,", sum(bin(b).count("1") for b in bits) / (8 * len(bits)), "of the bits set")


if __name__ == "__main__":
    confusables(sys.argv[1])
    words(sys.argv[2])
