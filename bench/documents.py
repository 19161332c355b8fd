"""The data that is backed up: files of many sizes, half of them compressible. The same for one seed."""

import random
from pathlib import Path

SEED = 2026

#: English letters by how often they stand in text: what becomes of random bytes in a text file.
_LETTERS = b" " * 46 + b"e" * 26 + b"taoin" * 16 + b"shr" * 13 + b"dl" * 8 + b"cumwfgypb" * 3
_TABLE = (_LETTERS + b"\n" * 256)[:256]


def write_documents(folder: Path, *, files: int, total: int, seed: int = SEED) -> None:
    """Write `files` files of `total` bytes in all, 100 to a folder; every second one is text."""
    chance = random.Random(seed)
    weights = [chance.lognormvariate(0, 1) for _ in range(files)]
    whole = sum(weights)
    for number, weight in enumerate(weights):
        place = folder / f"{number // 100:03}"
        place.mkdir(parents=True, exist_ok=True)
        content = chance.randbytes(max(1, round(total * weight / whole)))
        if number % 2:
            (place / f"{number:06}.txt").write_bytes(content.translate(_TABLE))
        else:
            (place / f"{number:06}.jpg").write_bytes(content)
