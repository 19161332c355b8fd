"""Key files that an attacker planted, and sealed things of known content."""

import base64
import hashlib
import json
import os
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.restic.authentic import (
    MOST_MEMORY,
    MOST_WORK,
    NotGenuine,
    SealingKey,
    WrongPassword,
    open_key_file,
    read_key_file,
)

PASSWORD = "correct horse battery"


def sealed(key: SealingKey, plain: bytes, nonce: bytes = b"n" * 16) -> bytes:
    """As restic seals."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    encryptor = Cipher(algorithms.AES(key.encryption), modes.CTR(nonce)).encryptor()
    ciphertext = encryptor.update(plain) + encryptor.finalize()
    once = Cipher(algorithms.AES(key.mac_k), modes.ECB()).encryptor()
    mac = Poly1305.generate_tag(key.mac_r + once.update(nonce), ciphertext)
    return nonce + ciphertext + mac


def key_file(password: str = PASSWORD, *, master: bytes | None = None, **other) -> bytes:
    """A key file of a master key; cheap, as restic's are not."""
    parameters = {"N": 16, "r": 1, "p": 1} | other
    salt = b"s" * 64
    derived = hashlib.scrypt(password.encode(), salt=salt, n=16, r=1, p=1, dklen=64)
    user = SealingKey(derived[:32], derived[32:48], derived[48:])
    plain = json.dumps({
        "mac": {"k": text(b"k" * 16), "r": text(b"r" * 16)},
        "encrypt": text(b"e" * 32),
    }).encode()  # fmt: skip
    return json.dumps({
        "created": "2026-11-23T03:00:00Z", "username": "root", "hostname": "ehr",
        "kdf": "scrypt", "salt": text(salt), "data": text(sealed(user, master or plain)),
        **parameters,
    }).encode()  # fmt: skip


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_the_right_password_opens_and_another_does_not():
    assert open_key_file(key_file(), PASSWORD) == SealingKey(b"e" * 32, b"k" * 16, b"r" * 16)
    with pytest.raises(WrongPassword):
        open_key_file(key_file(), "incorrect")


@pytest.mark.parametrize(
    "parameters",
    [
        {"N": 1 << 40},
        {"N": 1 << 22, "r": 8},
        {"N": 32768, "r": 1 << 20},
        {"N": 32768, "r": 8, "p": 1 << 10},
        {"N": 12345},
        {"N": 0},
        {"N": -8},
        {"r": 0},
        {"p": 0},
        {"p": -1},
        {"N": 10**400},
    ],
)
def test_a_planted_key_file_costs_nothing(parameters):
    tracemalloc.start()
    try:
        with pytest.raises(NotGenuine, match="would cost"):
            open_key_file(key_file(**parameters), PASSWORD)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_what_restic_asks_for_is_allowed():
    for p in (1, 5, 16, 32):
        assert read_key_file(key_file(N=32768, r=8, p=p)).p == p
    assert read_key_file(key_file(N=65536, r=8, p=8)).n == 65536
    assert MOST_MEMORY > 128 * 65536 * 8
    assert MOST_WORK > 65536 * 8 * 8


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 20_000,
        b"{}",
        b"[]",
        b"null",
        b"[" * 10_000,
        b"\xff\xfe",
        key_file(kdf="argon2"),
        key_file(N="32768"),
        key_file(N=32768.0),
        key_file(N=True),
        key_file(salt="?"),
        key_file(data=5),
    ],
    ids=range(13),
)
def test_what_is_no_key_file_is_refused(content):
    with pytest.raises(NotGenuine) as caught:
        open_key_file(content, PASSWORD)
    assert not isinstance(caught.value, WrongPassword)


@pytest.mark.parametrize("master", [b"x", b"{}", b'{"mac": {}, "encrypt": ""}', b"[1]", b"{"])
def test_what_opens_and_holds_no_master_key_is_refused(master):
    with pytest.raises(NotGenuine, match="no master key"):
        open_key_file(key_file(master=master), PASSWORD)


@given(st.binary(max_size=300))
def test_nothing_that_we_did_not_seal_is_authentic(content):
    key = SealingKey(b"e" * 32, b"k" * 16, b"r" * 16)
    assert not key.authentic(content)
    assert key.opened(sealed(key, content, os.urandom(16))) == content


def test_packed_and_plain_documents_are_read_and_a_bomb_is_not():
    import zstandard

    key = SealingKey(b"e" * 32, b"k" * 16, b"r" * 16)
    assert key.document(sealed(key, b'{"a": 1}')) == {"a": 1}
    packed = b"\x02" + zstandard.ZstdCompressor().compress(b'{"a": 2}')
    assert key.document(sealed(key, packed)) == {"a": 2}
    for nonsense in (b"", b"\x02", b"\x02nonsense", b"nonsense", b"\xff"):
        with pytest.raises(NotGenuine, match="cannot be read"):
            key.document(sealed(key, nonsense))
