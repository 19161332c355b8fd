"""What looks encrypted, and what only looks a little like it."""

import bz2
import gzip
import json
import lzma
import random
import zlib

import pytest

from drorch.core.noise import ENOUGH, LOOKED_AT, Sign, sign_of

CHANCE = random.Random(4711)
TEXT = "".join(f"patient {n}: admitted, {n * 7919 % 90} years\n" for n in range(20_000)).encode()


def noise(size=LOOKED_AT):
    return CHANCE.randbytes(size)


def test_what_a_locker_leaves_is_seen():
    assert sign_of("plan.pdf", noise()) is Sign.MASKED
    assert sign_of("scan.DCM", noise()) is Sign.MASKED
    assert sign_of("ehr.dump", noise()) is Sign.MASKED
    assert sign_of("letter.txt", noise()) is Sign.NOISE
    assert sign_of("letter.txt.locked", noise()) is Sign.NOISE
    assert sign_of("noname", noise(ENOUGH)) is Sign.NOISE


@pytest.mark.parametrize("size", [ENOUGH, 4096, LOOKED_AT])
def test_chance_is_told_apart_from_everything_else_at_any_length(size):
    assert all(sign_of("x", noise(size)) for _ in range(300))
    for n in range(300):
        assert sign_of("x", TEXT[n * 97 : n * 97 + size]) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", TEXT),
        ("a.json", json.dumps(list(range(9000))).encode()),
        ("a.pdf", b"%PDF-1.7\n" + noise()),
        ("a.dcm", bytes(128) + b"DICM" + noise()),
        ("a.gz", gzip.compress(TEXT)),
        ("a.unknown", gzip.compress(noise())),
        ("a.tar.bz2", bz2.compress(TEXT)),
        ("a.xz", lzma.compress(TEXT)),
        ("a.docx", b"PK\x03\x04" + noise()),
        ("ehr.dump", b"PGDMP" + noise()),
        ("zeros", bytes(LOOKED_AT)),
        ("counting", bytes(range(256)) * 4 + TEXT),
        ("short", noise(ENOUGH - 1)),
        ("empty", b""),
        ("a.raw", zlib.compress(TEXT, 1)),
    ],
)
def test_what_is_no_sign(name, content):
    assert sign_of(name, content[:LOOKED_AT]) is None
