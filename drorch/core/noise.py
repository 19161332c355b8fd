"""Does it look encrypted? By how a file begins, and by whether its bytes are as even as chance has them.

Pure. Encrypted bytes are even: a chi-square test of their 256 values comes to 255 give or take 23.
Text and tables are far from it; what is compressed comes near, but begins with its format's mark.
"""

from enum import StrEnum
from typing import Final

#: Bytes of a file that are looked at: its beginning, where every locker starts.
LOOKED_AT: Final = 16_384

#: Fewer bytes say nothing about how even they are.
ENOUGH: Final = 1_024

#: Chi-square of 256 values has mean 255 and deviation 22.6; six deviations above come by chance
#: once in a hundred million, and no text comes near.
_EVEN: Final = 255 + 6 * 22.6

#: What files of a format begin with, by the end of their name; a mark may stand a little later.
_MARKS: Final = {
    "pdf": (b"%PDF",),
    "png": (b"\x89PNG",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF8",),
    "tif": (b"II*\0", b"MM\0*"),
    "tiff": (b"II*\0", b"MM\0*"),
    "webp": (b"RIFF",),
    "dcm": (b"DICM",),
    "docx": (b"PK",),
    "xlsx": (b"PK",),
    "pptx": (b"PK",),
    "odt": (b"PK",),
    "ods": (b"PK",),
    "zip": (b"PK",),
    "jar": (b"PK",),
    "gz": (b"\x1f\x8b",),
    "tgz": (b"\x1f\x8b",),
    "bz2": (b"BZh",),
    "xz": (b"\xfd7zXZ",),
    "zst": (b"\x28\xb5\x2f\xfd",),
    "7z": (b"7z\xbc\xaf\x27\x1c",),
    "rar": (b"Rar!",),
    "mp3": (b"ID3", b"\xff\xfb"),
    "mp4": (b"ftyp",),
    "mov": (b"ftyp",),
    "ogg": (b"OggS",),
    "sqlite": (b"SQLite format 3",),
    "dump": (b"PGDMP", b"SQLite format 3"),
}
#: Where the mark is not the first thing.
_LATER: Final = {b"DICM": 128, b"ftyp": 4}
_ANY: Final = tuple(dict.fromkeys(mark for marks in _MARKS.values() for mark in marks))


class Sign(StrEnum):
    """Why a file looks encrypted."""

    MASKED = "not the format its name says"
    NOISE = "even bytes of no known format"


def sign_of(name: str, beginning: bytes) -> Sign | None:
    """What speaks for encryption in a file of this name that begins so; None if nothing does.

    Files too short to say, and formats that are compressed or encrypted by nature and begin with a
    mark, are passed over.
    """
    if len(beginning) < ENOUGH or not _even(beginning):
        return None
    marks = _MARKS.get(name.rpartition(".")[2].lower())
    if marks is not None:
        return None if _begins(beginning, marks) else Sign.MASKED
    return None if _begins(beginning, _ANY) else Sign.NOISE


def _begins(beginning: bytes, marks: tuple[bytes, ...]) -> bool:
    return any(beginning.startswith(mark, _LATER.get(mark, 0)) for mark in marks)


def _even(sample: bytes) -> bool:
    expected = len(sample) / 256
    counts = (sample.count(value) for value in range(256))
    return sum((count - expected) ** 2 for count in counts) / expected <= _EVEN
