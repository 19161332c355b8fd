"""Ed25519 keys (RFC 8032) as PEM: the private half in PKCS #8, the public half as RFC 8410 has it.

A key's id is the SHA-256 (hex) of the public key's DER, which openssl gives, too:
`openssl pkey -pubin -in KEY -outform DER | sha256sum`.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drorch.core.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

#: What stands before the 32 bytes in either DER (RFC 8410, sections 4 and 7). Read by hand, since
#: cryptography's own reader imports SSH and all, which takes longer than a signature.
_PUBLIC = bytes.fromhex("302a300506032b6570032100")
_PRIVATE = bytes.fromhex("302e020100300506032b657004220420")
_SIZE = 32


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose seals are checked; `raw` are its 32 bytes."""

    raw: bytes

    @property
    def id(self) -> str:
        """Its id: 64 digits."""
        return hashlib.sha256(_PUBLIC + self.raw).hexdigest()

    @property
    def pem(self) -> str:
        """As a PEM file holds it."""
        return _pem("PUBLIC", _PUBLIC + self.raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature (64 bytes) is this key's over the message."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What seals. Its 32 bytes never show in a representation."""

    _seed: bytes

    def __repr__(self) -> str:
        return f"PrivateKey({self.public.id[:16]})"

    @property
    def public(self) -> PublicKey:
        """The half that others check with."""
        return PublicKey(self._opened().public_key().public_bytes_raw())

    @property
    def pem(self) -> str:
        """As a PEM file holds it."""
        return _pem("PRIVATE", _PRIVATE + self._seed)

    def sign(self, message: bytes) -> bytes:
        """The signature, 64 bytes; of the same message always the same."""
        return self._opened().sign(message)

    def _opened(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._seed)


def new_key() -> PrivateKey:
    """A new key, by the operating system's randomness."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return PrivateKey(Ed25519PrivateKey.generate().private_bytes_raw())


def private_key(pem: str) -> PrivateKey:
    """The key a PEM holds; UsageError if that is no Ed25519 private key."""
    der = _der(pem, "PRIVATE")
    if der is None or not der.startswith(_PRIVATE) or len(der) != len(_PRIVATE) + _SIZE:
        raise UsageError(
            "this is no Ed25519 private key",
            "give a PEM that begins with -----BEGIN PRIVATE KEY-----; "
            "`openssl genpkey -algorithm ed25519` makes one",
        )
    return PrivateKey(der[len(_PRIVATE) :])


def public_key(pem: str) -> PublicKey:
    """The key a PEM holds; UsageError if that is no Ed25519 public key."""
    der = _der(pem, "PUBLIC")
    if der is None or not der.startswith(_PUBLIC) or len(der) != len(_PUBLIC) + _SIZE:
        raise UsageError(
            "this is no Ed25519 public key",
            "give a PEM that begins with -----BEGIN PUBLIC KEY-----; of a private key "
            "`openssl pkey -in KEY -pubout` makes it",
        )
    return PublicKey(der[len(_PUBLIC) :])


def _der(pem: str, half: str) -> bytes | None:
    lines = rf"-----BEGIN {half} KEY-----\s([A-Za-z0-9+/=\s]+)-----END {half} KEY-----"
    found = re.search(lines, pem)
    try:
        return base64.b64decode("".join(found[1].split()), validate=True) if found else None
    except binascii.Error:
        return None


def _pem(half: str, der: bytes) -> str:
    text = base64.b64encode(der).decode()
    return f"-----BEGIN {half} KEY-----\n{text}\n-----END {half} KEY-----\n"
