"""Bytes as letters that can be typed from paper: base32 in numbered lines, each with a checksum. Pure.

    01 ABCDE FGHIJ KLMNO PQRST UVWXY Z2345 67ABC DEFGH - XYZ

Blanks and case do not matter; 0, 1 and 8, which base32 has not, are read as O, I and B. Lines that
begin otherwise than with a number are for people. The last line is `NN END`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence

_LETTERS, _GROUP = 40, 5
_LINE = re.compile(r"\s*(\d+)\s+(.*)")
_MEANT = str.maketrans("018", "OIB")


class NotLettered(Exception):
    """It is not what was printed; every line that is wrong or missing."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def lettered(data: bytes) -> tuple[str, ...]:
    """The lines."""
    text = base64.b32encode(data).decode().rstrip("=")
    lines = []
    for number, at in enumerate(range(0, len(text), _LETTERS), 1):
        letters = text[at : at + _LETTERS]
        groups = " ".join(letters[i : i + _GROUP] for i in range(0, len(letters), _GROUP))
        lines.append(f"{number:02} {groups} - {_checksum(number, letters)}")
    return (*lines, f"{len(lines) + 1:02} END")


def unlettered(text: str) -> bytes:
    """The bytes; NotLettered with every line that was mistyped or left out."""
    found: dict[int, str] = {}
    problems: list[str] = []
    end = 0
    for line in text.splitlines():
        told = _LINE.fullmatch(line)
        if told is None:
            continue
        number, rest = int(told[1]), re.sub(r"[\s-]", "", told[2]).upper()
        if rest == "END":
            end = number
            continue
        letters, checksum = rest[:-3].translate(_MEANT), rest[-3:].translate(_MEANT)
        if checksum != _checksum(number, letters):
            problems.append(f"line {number} is mistyped")
        found[number] = letters
    last = end or max(found, default=0)
    problems += [f"line {n} is missing" for n in range(1, last) if n not in found]
    if not end:
        problems.append("its end is missing: the line with END")
    if problems:
        raise NotLettered(problems)
    whole = "".join(found[n] for n in range(1, end))
    try:
        return base64.b32decode(whole + "=" * (-len(whole) % 8))
    except binascii.Error:
        raise NotLettered(["it is not what was printed"]) from None


def _checksum(number: int, letters: str) -> str:
    digest = hashlib.sha256(f"{number} {letters}".encode()).digest()
    return base64.b32encode(digest[:5]).decode()[:3]
