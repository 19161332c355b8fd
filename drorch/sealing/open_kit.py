"""Open the sealed secrets of a drorch recovery kit without drorch.

    python3 open_kit.py KIT SHARE SHARE ...

KIT is the kit's text: numbered lines of letters. Each SHARE is a file with the 33 words of one
holder. Each secret is written into a file of its name in this folder, for the commands of the kit.
Needs Python 3.11, and: pip install cryptography shamir-mnemonic
"""

import base64
import hashlib
import json
import os
import re
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from shamir_mnemonic import MnemonicError, Share, combine_mnemonics
from shamir_mnemonic.wordlist import WORDLIST


def share(text: str) -> str:
    """The words of a share; four letters of each are enough."""
    words = re.findall(r"[^\W\d_]+", text.lower())
    return " ".join(next((w for w in WORDLIST if w[:4] == word[:4]), word) for word in words)


def sealed(text: str) -> bytes:
    """The bytes of the kit's lines; ends with every line that is mistyped or missing."""
    found: dict[int, str] = {}
    wrong, end = [], 0
    for line in text.splitlines():
        told = re.fullmatch(r"\s*(\d+)\s+(.*)", line)
        if told is None:
            continue
        number = int(told[1])
        typed = re.sub(r"[\s-]", "", told[2]).upper().translate(str.maketrans("018", "OIB"))
        if typed == "END":
            end = number
            continue
        found[number] = typed[:-3]
        digest = hashlib.sha256(f"{number} {typed[:-3]}".encode()).digest()
        if base64.b32encode(digest[:5]).decode()[:3] != typed[-3:]:
            wrong.append(f"line {number} is mistyped")
    wrong += [f"line {n} is missing" for n in range(1, end) if n not in found]
    if not end:
        wrong.append("its end is missing: the line with END")
    if wrong:
        sys.exit("\n".join(wrong))
    letters = "".join(found[number] for number in range(1, end))
    return base64.b32decode(letters + "=" * (-len(letters) % 8))


def main(kit: str, *shares: str) -> None:
    """Write the secrets."""
    try:
        data = sealed(Path(kit).read_text())
        given = list(dict.fromkeys(share(Path(one).read_text()) for one in shares))
        # It takes as many as are needed, and no more.
        needed = max((Share.from_mnemonic(one).member_threshold for one in given), default=0)
        key = combine_mnemonics(given[:needed])
        plain = AESGCM(key).decrypt(data[8:20], data[20:], data[:8] + b"recovery-kit")
    except MnemonicError as error:
        sys.exit(f"the shares do not fit: {error}")
    except (InvalidTag, ValueError):
        sys.exit(f"{kit} does not open: the shares are of another kit")
    os.umask(0o077)
    for name, value in json.loads(zlib.decompress(plain))["secrets"].items():
        Path(name).write_text(f"{value}\n")
        print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
