"""Recovering by a kit whose holders have come together: their shares are read, joined, and used."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.session import Session
from drorch.core.errors import ConfigurationError, DrorchError, Problem, UsageError

if TYPE_CHECKING:
    from drorch.app.plane.recovered import Recovered

_BY_HAND = ("endpoint", "bucket", "access_key_env", "secret_key_env", "password_file")
_OF_SOME = ("prefix", "location")


def check_given(given: Mapping[str, Any]) -> None:
    """A kit with shares, or all that it would give; ConfigurationError with what is missing."""
    named = [name for name in (*_BY_HAND, *_OF_SOME) if given[name]]
    if given["kit"]:
        if named:
            raise UsageError(
                f"{_option(named[0])} and --kit contradict each other", "the kit names its regions"
            )
        if not given["shares"]:
            raise UsageError("no share is given", "--share FILE for each, or --share - to be asked")
        return
    if given["shares"]:
        raise UsageError("shares open a kit, and none is given", "name its text: --kit FILE")
    missing = [_option(name) for name in _BY_HAND if not given[name]]
    if missing:
        raise ConfigurationError(
            [Problem(f"{one} is missing", "see: drorch recover -h") for one in missing]
        )


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def recovered_by_kit(
    session: Session,
    given: Mapping[str, Any],
    how: Mapping[str, Any],
    ready: Callable[["Recovered"], None],
) -> "Recovered":
    """From the first region of the kit that can give something."""
    from drorch.app.kit_secrets import opened
    from drorch.app.plane.recovered import Wish
    from drorch.app.plane.recovering import recover
    from drorch.storage.client import Credentials

    kit = opened(_text(given["kit"], "--kit"), _shares(session, given["shares"]))
    if not kit.regions:
        raise UsageError(
            "drorch's records lay in no region when this kit was made",
            "restore the datasets by restic alone, as the kit says",
        )
    why: list[DrorchError] = []
    for region in kit.regions:
        keys = [kit.secrets.get(name or "") for name in (region.access_key, region.secret_key)]
        wish = Wish(
            region=region,
            credentials=Credentials(*keys),
            passphrase=kit.secrets[kit.password],
            secrets=kit.secrets,
            **how,
        )
        try:
            return recover(wish, ready)
        except DrorchError as error:
            if why and why[-1].message == error.message:
                break  # it is nothing about regions
            session.tell(f"from region {region.name}: {error.message}")
            why.append(error)
    raise why[-1]


def _shares(session: Session, files: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, file in enumerate(files, 1):
        name = f"share {number}" if file == "-" else file
        if name in found:
            raise UsageError(f"{file} is named twice", "each share once")
        found[name] = _asked(session, name) if file == "-" else _text(Path(file), "--share")
    return found


def _asked(session: Session, name: str) -> str:
    """Typed in so that it can be seen: 33 words that nobody sees are mistyped."""
    if session.json:
        raise UsageError("--json asks nobody for a share", "name a file that holds it")
    try:
        return str(click.prompt(f"Words of {name}", err=True))
    except click.Abort:
        raise UsageError(f"no words of {name} were typed", "type them, or name a file") from None


def _text(path: Path, option: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(f"{path} cannot be read: {why}", f"name the file by {option}") from None
