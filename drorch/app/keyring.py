"""Whose seals are trusted, and with what this organisation seals."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from drorch.adapters.evidence import write_durably
from drorch.app.program import Program
from drorch.core.errors import ConfigurationError, Problem, UsageError
from drorch.sealing.keys import PrivateKey, PublicKey, new_key, private_key, public_key


def sealing_key(program: Program) -> PrivateKey | None:
    """The key that seals; None: none is configured. ConfigurationError where it cannot be had."""
    name = program.configuration.evidence.key
    if name is None:
        return None
    try:
        return private_key(program.secrets.get(name))
    except UsageError as error:
        raise _wrong(f"secret {name}: {error.message}", error.hint) from None


def trusted_keys(program: Program) -> tuple[PublicKey, ...]:
    """The configured public keys; ConfigurationError where one cannot be had."""
    keys = []
    for number, text in enumerate(program.configuration.evidence.public_keys, 1):
        try:
            keys.append(_public(text))
        except UsageError as error:
            where = f"evidence.public_key.{number}"
            raise _wrong(f"{where}: {error.message}", error.hint) from None
    return tuple(dict.fromkeys(keys))


def given_keys(texts: Iterable[str]) -> tuple[PublicKey, ...]:
    """Public keys as a command line gives them: files, or texts; UsageError."""
    return tuple(dict.fromkeys(map(_public, texts)))


def together(key: PrivateKey, trusted: Sequence[PublicKey]) -> bool:
    """Whether what the key seals is trusted here."""
    return key.public in trusted


def new_pair(path: Path) -> list[Path]:
    """Make a key in that file (0600), its public half beside it; one that is there is kept.

    Returns the files that were written.
    """
    public, written = path.with_name(f"{path.name}.pub"), []
    if not path.exists():
        write_durably(path, new_key().pem.encode())
        written.append(path)
    if not public.exists():
        write_durably(public, private_key(path.read_text()).public.pem.encode())
        public.chmod(0o644)
        written.append(public)
    return written


def _public(text: str) -> PublicKey:
    if "-----BEGIN" in text:
        return public_key(text)
    try:
        content = Path(text).read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(
            f"the public key {text} cannot be read: {error.strerror}",
            "name a PEM file that drorch can read",
        ) from None
    try:
        return public_key(content)
    except UsageError as error:
        raise UsageError(f"{text}: {error.message}", error.hint) from None


def _wrong(message: str, hint: str) -> ConfigurationError:
    return ConfigurationError([Problem(message, hint)])
