"""A vault: a random key wrapped by a passphrase, and what is sealed with that key.

Knows the bytes of `docs/control-plane.md`, and nothing of what they mean. AES-256-GCM throughout;
the passphrase goes through scrypt. Key files and sealed objects lie where an attacker may write:
nothing in them is believed before the tag proves it, and no derivation is begun that costs more
than our own.
"""

import hashlib
import json
import os
import zlib
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: What every sealed object begins with: its format.
MAGIC: Final = b"drorchS1"
_NONCE: Final = 12
_TAG: Final = 16

Told: TypeAlias = dict[str, int | str]

#: scrypt: 64 MiB and about a quarter of a second, once for each machine and passphrase.
_N: Final = 1 << 16
_R: Final = 8
_P: Final = 1
_MEMORY: Final = 4 * 128 * _N * _R
#: What opening a key file may cost: what it costs to open one of our own.
_MOST: Final = _N * _R * _P
LARGEST_KEY: Final = 4096

#: What is unpacked of one object at most.
LARGEST: Final = 256 << 20


class NotOpened(Exception):
    """It does not open: it is damaged, not what it is said to be, or of another vault."""


class WrongPassphrase(NotOpened):
    """A key file that may be in order, but not for this passphrase."""


class NewerFormat(NotOpened):
    """It was written by a version that does this otherwise."""


def new_vault(passphrase: str) -> tuple[bytes, bytes]:
    """A new key (32 bytes), and the file that gives it to whoever knows the passphrase."""
    key, salt, nonce = os.urandom(32), os.urandom(32), os.urandom(_NONCE)
    told: Told = {"format": 1, "kdf": "scrypt", "n": _N, "r": _R, "p": _P, "salt": salt.hex()}
    sealed = _cipher(_derived(passphrase, salt, _N, _R, _P)).encrypt(nonce, key, _bound(told))
    file = {**told, "nonce": nonce.hex(), "sealed": sealed.hex()}
    return key, json.dumps(file, sort_keys=True, separators=(",", ":")).encode()


def open_vault(file: bytes, passphrase: str) -> bytes:
    """The key in a key file; NotOpened, WrongPassphrase, NewerFormat."""
    told, nonce, sealed = _read(file)
    n, r, p = (int(told[name]) for name in ("n", "r", "p"))
    try:
        derived = _derived(passphrase, bytes.fromhex(str(told["salt"])), n, r, p)
    except ValueError:  # scrypt does not know them together, as an n that is too large for its r
        raise NotOpened("it is no key file of drorch's") from None
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(derived).decrypt(nonce, sealed, _bound(told))
    except InvalidTag:
        raise WrongPassphrase("it does not open with this passphrase") from None


def seal(key: bytes, name: str, plain: bytes) -> bytes:
    """`plain`, compressed and sealed as the object of this name; under another it does not open."""
    nonce = os.urandom(_NONCE)
    sealed = _cipher(key).encrypt(nonce, zlib.compress(plain, 6), MAGIC + name.encode())
    return MAGIC + nonce + sealed


def unseal(key: bytes, name: str, sealed: bytes) -> bytes:
    """What was sealed as the object of this name; NotOpened, NewerFormat."""
    from cryptography.exceptions import InvalidTag

    head, rest = sealed[: len(MAGIC)], sealed[len(MAGIC) :]
    if head != MAGIC and head[:-1] == MAGIC[:-1]:
        raise NewerFormat("it was sealed by a newer version of drorch")
    if head != MAGIC or len(rest) < _NONCE + _TAG:
        raise NotOpened("it is no sealed object of drorch's")
    try:
        packed = _cipher(key).decrypt(rest[:_NONCE], rest[_NONCE:], MAGIC + name.encode())
    except InvalidTag:
        raise NotOpened("it was changed, or is not what its name says") from None
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(packed, LARGEST)
    if not unpacker.eof:
        raise NotOpened("it is larger than anything that drorch seals")
    return plain


def _read(file: bytes) -> tuple[Told, bytes, bytes]:
    if len(file) > LARGEST_KEY:
        raise NotOpened("it is no key file of drorch's")
    try:
        found = json.loads(file)
        nonce, sealed = (bytes.fromhex(found.pop(name)) for name in ("nonce", "sealed"))
        newer = found["format"] != 1 or found["kdf"] != "scrypt"
        n, r, p = (int(found[name]) for name in ("n", "r", "p"))
        bytes.fromhex(found["salt"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise NotOpened("it is no key file of drorch's") from None
    if newer:
        raise NewerFormat("it was written by a newer version of drorch")
    if n < 2 or n & (n - 1) or r < 1 or p < 1 or len(nonce) != _NONCE:
        raise NotOpened("it is no key file of drorch's")
    if n * r * p > _MOST:
        raise NotOpened("opening it would cost more than any key file of drorch's does")
    return found, nonce, sealed


def _derived(passphrase: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


def _bound(told: Told) -> bytes:
    """What the wrapped key is bound to: everything else in its file."""
    return MAGIC + json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def _cipher(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
