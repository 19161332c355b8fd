"""A random key, shared among holders of whom some must come together: Shamir's scheme as SLIP-39 has it.

A share is 33 words, the last three of them a checksum; four letters of a word are enough. It tells
which set it is of, how many are needed, and nothing of the key. The one door to shamir_mnemonic.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

#: How many holders there can be.
MOST: Final = 16
#: Of a key of 32 bytes.
WORDS: Final = 33
_LETTERS: Final = 4


class NotJoined(Exception):
    """The shares do not open it; everything that is wrong with them, each with what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class _Share:
    """A share that is whole: of which set, which of it, and how many are needed."""

    words: str
    set: int
    number: int
    needed: int


def shared_key(holders: int, needed: int) -> tuple[bytes, tuple[str, ...]]:
    """A new key (32 bytes), and the words of each holder, of whom `needed` (2 or more) open it."""
    from shamir_mnemonic import generate_mnemonics

    key = os.urandom(32)
    (shares,) = generate_mnemonics(1, [(needed, holders)], key, iteration_exponent=0)
    return key, tuple(shares)


def joined_key(given: Mapping[str, str]) -> bytes:
    """The key from shares, by what each is called (its file); NotJoined with all that is wrong."""
    from shamir_mnemonic import MnemonicError, combine_mnemonics

    shares: dict[str, _Share] = {}
    problems: list[str] = []
    for name, text in given.items():
        try:
            shares[name] = _read(name, text)
        except NotJoined as error:
            problems += error.problems
    problems += _unfit(shares)
    if not problems:
        problems += _too_few(shares)
    if problems:
        raise NotJoined(problems)
    needed = next(iter(shares.values())).needed
    chosen = list(shares.values())[:needed]
    try:
        return bytes(combine_mnemonics([one.words for one in chosen]))
    except MnemonicError:
        raise NotJoined(["the shares do not fit together: one was made up"]) from None


def _read(name: str, text: str) -> _Share:
    from shamir_mnemonic import MnemonicError, Share

    words = re.findall(r"[^\W\d_]+", text.lower())
    if len(words) != WORDS:
        raise NotJoined([f"{name} has {len(words)} words; a share has {WORDS}"])
    meant = [_word(name, n, word) for n, word in enumerate(words, 1)]
    wrong = [one for one in meant if " " in one]
    if wrong:
        raise NotJoined(wrong)
    try:
        share = Share.from_mnemonic(" ".join(meant))
    except MnemonicError:
        raise NotJoined(
            [f"{name}: its checksum is wrong: another word was typed, or two were swapped"]
        ) from None
    return _Share(" ".join(meant), share.identifier, share.index, share.member_threshold)


def _word(name: str, number: int, word: str) -> str:
    """The word that is meant; a sentence if there is none such."""
    from shamir_mnemonic.wordlist import WORDLIST

    if word in WORDLIST:
        return word
    begins = [one for one in WORDLIST if one.startswith(word)] if len(word) >= _LETTERS else []
    if len(begins) == 1:
        return str(begins[0])
    near = get_close_matches(word, WORDLIST, 1)
    hint = f"; {near[0]}?" if near else ""
    return f"{name}: word {number} is no word of a share: {word}{hint}"


def _unfit(shares: Mapping[str, _Share]) -> list[str]:
    """Shares of different sets, and the same one twice."""
    problems = []
    seen: dict[int, str] = {}
    first = next(iter(shares), "")
    for name, share in shares.items():
        if share.set != shares[first].set:
            problems.append(f"{name} and {first} are of different kits")
        elif share.number in seen:
            problems.append(f"{name} and {seen[share.number]} are the same share")
        else:
            seen[share.number] = name
    return problems


def _too_few(shares: Mapping[str, _Share]) -> list[str]:
    needed = next((share.needed for share in shares.values()), 0)
    if shares and len(shares) >= needed:
        return []
    of = f" of the {needed} that are needed" if needed else ""
    return [f"{len(shares) or 'no'} share{'' if len(shares) == 1 else 's'}{of}"]
