"""Is it the repository's own? Key files opened and objects authenticated without starting restic.

Knows the cryptography of restic's design.rst ("Keys, Encryption and MAC"). What restic seals is
IV (16 bytes) || AES-256-CTR ciphertext || Poly1305-AES MAC (16 bytes, of the ciphertext alone).
Key files lie where an attacker may write: nothing in them is believed before the password proves it.
"""

import base64
import binascii
import hashlib
import io
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_IV: Final = 16
_MAC: Final = 16

#: What opening one key file may cost. restic calibrates to half a second and 60 MB, which comes to
#: N = 2^15 or 2^16, r = 8 and a p below 16; a planted file could ask for hours and terabytes.
MOST_MEMORY: Final = 256 * 1024 * 1024
MOST_WORK: Final = 1 << 24

#: A key file is about 450 bytes long.
LARGEST_KEY_FILE: Final = 16 * 1024

#: What is unpacked of one object at most; an index of restic's has some ten million bytes.
_LARGEST_PLAIN: Final = 512 * 1024 * 1024

#: The first byte of what is compressed, in format 2; JSON begins with `{` or `[`.
_COMPRESSED: Final = b"\x02"


class NotGenuine(Exception):
    """Something is not what it is said to be; the text says why."""


class WrongPassword(NotGenuine):
    """A key file that may be in order, but not for this password."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """What seals and opens: a repository's master key, or a user's key that seals only that.

    `encryption` has 32 bytes, `mac_k` and `mac_r` 16 each; none of them is ever shown.
    """

    encryption: bytes = field(repr=False)
    mac_k: bytes = field(repr=False)
    mac_r: bytes = field(repr=False)

    def authentic(self, sealed: bytes) -> bool:
        """Whether it was sealed with this key, and nothing in it was changed since."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.poly1305 import Poly1305

        if len(sealed) < _IV + _MAC:
            return False
        view = memoryview(sealed)
        nonce, ciphertext, mac = view[:_IV], view[_IV:-_MAC], bytes(view[-_MAC:])
        try:
            Poly1305.verify_tag(self.mac_r + self._hidden(bytes(nonce)), ciphertext, mac)
        except InvalidSignature:
            return False
        return True

    def opened(self, sealed: bytes) -> bytes:
        """What was sealed; NotGenuine if it was not with this key."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if not self.authentic(sealed):
            raise NotGenuine("it was not made with the repository's key, or was changed since")
        view = memoryview(sealed)
        cipher = Cipher(algorithms.AES(self.encryption), modes.CTR(bytes(view[:_IV])))
        decryptor = cipher.decryptor()
        return decryptor.update(view[_IV:-_MAC]) + decryptor.finalize()

    def sealed(self, plain: bytes) -> bytes:
        """What restic would make of it: an object that only this key opens."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.poly1305 import Poly1305

        nonce = secrets.token_bytes(_IV)
        encryptor = Cipher(algorithms.AES(self.encryption), modes.CTR(nonce)).encryptor()
        ciphertext = encryptor.update(plain) + encryptor.finalize()
        mac = Poly1305.generate_tag(self.mac_r + self._hidden(nonce), ciphertext)
        return nonce + ciphertext + mac

    def document(self, sealed: bytes) -> Any:
        """The JSON of an object that restic sealed whole: config, index, snapshots, locks."""
        plain = self.opened(sealed)
        try:
            return json.loads(_unpacked(plain[1:]) if plain[:1] == _COMPRESSED else plain)
        except (ValueError, RecursionError) as error:
            raise NotGenuine("it was made with the repository's key, but cannot be read") from error

    def blob(self, sealed: bytes, *, compressed: bool) -> bytes:
        """The plain bytes of a blob that lies in a pack; its index says whether it is compressed."""
        plain = self.opened(sealed)
        try:
            return _unpacked(plain) if compressed else plain
        except ValueError as error:
            raise NotGenuine("it was made with the repository's key, but cannot be read") from error

    @property
    def shown(self) -> tuple[str, ...]:
        """How its parts would look if something printed them: for redaction."""
        parts = (self.encryption, self.mac_k, self.mac_r)
        return tuple(form for p in parts for form in (base64.b64encode(p).decode(), p.hex()))

    def _hidden(self, nonce: bytes) -> bytes:
        """Poly1305-AES (Bernstein 2005): the second half of the one-time key is AES_k(nonce)."""
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        one_block = Cipher(algorithms.AES(self.mac_k), modes.ECB())  # noqa: S305 - one block alone
        encryptor = one_block.encryptor()
        return encryptor.update(nonce) + encryptor.finalize()


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file as written: scrypt's parameters, and the master key sealed under the user's key.

    `user`, `host` and `created` are what the writer said, proven by nothing.
    """

    n: int
    r: int
    p: int
    salt: bytes
    data: bytes
    user: str
    host: str
    created: str


def read_key_file(content: bytes) -> KeyFile:
    """A key file; NotGenuine if it is none, or would cost more to open than restic's ever do."""
    if len(content) > LARGEST_KEY_FILE:
        raise NotGenuine(f"it is no key file of restic's: {len(content)} bytes are too many")
    try:
        found = json.loads(content)
        if found["kdf"] != "scrypt":
            raise NotGenuine("its key derivation is not restic's")
        file = KeyFile(
            n=_number(found, "N"),
            r=_number(found, "r"),
            p=_number(found, "p"),
            salt=base64.b64decode(found["salt"], validate=True),
            data=base64.b64decode(found["data"], validate=True),
            user=str(found.get("username", "")),
            host=str(found.get("hostname", "")),
            created=str(found.get("created", "")),
        )
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise NotGenuine("it is no key file of restic's") from error
    _refuse_absurd(file)
    return file


def open_key_file(content: bytes, password: str) -> SealingKey:
    """The master key in a key file.

    Raises WrongPassword if the file is one but does not open with this password, NotGenuine if
    it is none. Costs what the file's scrypt costs: about half a second.
    """
    file = read_key_file(content)
    derived = hashlib.scrypt(
        password.encode(), salt=file.salt, n=file.n, r=file.r, p=file.p,
        maxmem=2 * MOST_MEMORY, dklen=64,
    )  # fmt: skip
    user = SealingKey(derived[:32], derived[32:48], derived[48:])
    if not user.authentic(file.data):
        raise WrongPassword("it does not open with this password")
    return _master(user.opened(file.data))


def _refuse_absurd(file: KeyFile) -> None:
    power_of_two = file.n > 1 and file.n & (file.n - 1) == 0
    memory, work = 128 * file.n * file.r, file.n * file.r * file.p
    if not power_of_two or min(file.r, file.p) < 1 or memory > MOST_MEMORY or work > MOST_WORK:
        raise NotGenuine(
            f"opening it would cost what no key of restic's does (N={file.n}, r={file.r}, p={file.p})"
        )


def _number(found: Mapping[str, Any], name: str) -> int:
    value = found[name]
    if type(value) is not int:
        raise TypeError(name)
    return value


def _master(plain: bytes) -> SealingKey:
    """The master key as it lies in a key file: `{"mac": {"k", "r"}, "encrypt"}`, base64."""
    try:
        found = json.loads(plain)
        texts = (found["encrypt"], found["mac"]["k"], found["mac"]["r"])
        encryption, mac_k, mac_r = (base64.b64decode(text, validate=True) for text in texts)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotGenuine("there is no master key in it") from error
    if (len(encryption), len(mac_k), len(mac_r)) != (32, 16, 16):
        raise NotGenuine("there is no master key in it")
    return SealingKey(encryption, mac_k, mac_r)


def _unpacked(compressed: bytes) -> bytes:
    import zstandard

    try:
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(compressed))
        return bytes(reader.read(_LARGEST_PLAIN))
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error
