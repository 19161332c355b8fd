"""Commands as they are printed for people: no line is wider than the paper, and copying a line that
goes on on the next one gives the same command. Pure.

Lines are for bash. A backslash at a line's end takes the line end away, so the next line begins
with blanks where a word ended, and without any where a word goes on.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from shlex import quote, split

#: So many letters of a line fit on a sheet of A4.
WIDTH = 86
_PIECE = 48
#: A quote among quotes takes five letters.
_QUOTED = 16
_CUT = re.compile(rf"[^/]{{0,{_PIECE}}}/|[^/]{{1,{_PIECE}}}")


def typed(*words: str) -> tuple[str, ...]:
    """One command of words that are ready for the shell, as lines."""
    lines: list[str] = []
    now = ""
    for word in words:
        for n, piece in enumerate(_pieces(word)):
            between = " " if now and n == 0 else ""
            if now and len(now) + len(between) + len(piece) > WIDTH - 2:
                lines.append(now + (" \\" if n == 0 else "\\"))
                now, between = ("  " if n == 0 else ""), ""
            now += between + piece
    return (*lines, now)


def _pieces(word: str) -> Sequence[str]:
    """A long word in parts that the shell puts together again."""
    if len(word) <= WIDTH - 4 and (len(word) <= _PIECE or "'" in word):
        return [word]
    if "'" in word:
        (plain,) = split(word)
        size = _PIECE if "'" not in plain else _QUOTED
        return [quote(plain[at : at + size]) for at in range(0, len(plain), size)]
    return _CUT.findall(word)


def value(text: str) -> str:
    """Any text as one word. What does not show on paper as it is (line ends, tabs) goes in base64."""
    if text.isprintable():
        return quote(text)
    return f'"$(base64 -d <<< {b64encode(text.encode()).decode()})"'


def read_from(file: str) -> str:
    """What a file holds, as a word."""
    return f'"$(cat {quote(file)})"'
