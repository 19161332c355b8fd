"""Ed25519 keys as PEM, as openssl writes and reads them; and what is no key."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from drorch.core.errors import UsageError
from drorch.sealing.envelope import pae
from drorch.sealing.keys import new_key, private_key, public_key


def test_openssl_reads_our_keys_and_we_read_its(tmp_path: Path) -> None:
    ours = new_key()
    (tmp_path / "ours").write_text(ours.pem)

    def openssl(*words: str) -> bytes:
        return subprocess.check_output(["openssl", *words], cwd=tmp_path)

    assert openssl("pkey", "-in", "ours", "-pubout").decode() == ours.public.pem
    der = openssl("pkey", "-in", "ours", "-pubout", "-outform", "DER")
    assert hashlib.sha256(der).hexdigest() == ours.public.id
    theirs = private_key(openssl("genpkey", "-algorithm", "ed25519").decode())
    assert public_key(theirs.public.pem) == theirs.public
    assert theirs.public.verifies(theirs.sign(b"x"), b"x")
    assert not theirs.public.verifies(theirs.sign(b"x"), b"y")
    assert not ours.public.verifies(theirs.sign(b"x"), b"x")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pem: "", id="nothing"),
        pytest.param(lambda pem: pem.replace("-----END", "----END"), id="no end"),
        pytest.param(lambda pem: pem.replace("M", "!", 1), id="no base64"),
        pytest.param(lambda pem: pem.replace("MC", "ME", 1), id="another length"),
        pytest.param(lambda pem: new_key().pem.replace("PRIVATE", "EC PRIVATE"), id="another kind"),
    ],
)
def test_what_is_no_key_is_refused_with_a_hint(change) -> None:  # type: ignore[no-untyped-def]
    key = new_key()
    for read, pem in ((private_key, key.pem), (public_key, key.public.pem)):
        with pytest.raises(UsageError, match="this is no Ed25519 ") as raised:
            read(change(pem))
        assert "openssl" in raised.value.hint


def test_a_private_key_does_not_show_itself() -> None:
    key = new_key()
    seed = key.pem.splitlines()[1]
    assert seed not in repr(key)
    with pytest.raises(UsageError):
        public_key(key.pem)
    with pytest.raises(UsageError):
        private_key(key.public.pem)


def test_what_is_signed_is_dsse_s_own_example() -> None:
    """The encoding as the specification's protocol.md shows it."""
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
