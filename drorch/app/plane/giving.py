"""Secrets from a recovery kit, put where the recovered configuration looks for them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from shlex import quote

from drorch.adapters.evidence import make_private, write_durably
from drorch.adapters.secrets import SecretLook
from drorch.core.model import Configuration

#: Where those lie that the configuration does not look for in files.
FOLDER = "from-kit"


def give_inside(configuration: Configuration, tree: Path, values: Mapping[str, str]) -> None:
    """Put each into what will be the configuration's folder, `tree` until then (0600): where the
    configuration looks for it, or aside.
    """
    for name, value in values.items():
        source = configuration.secrets.get(name)
        file = source.file if source is not None else None
        inside = file is not None and file.is_relative_to(configuration.folder)
        within = file.relative_to(configuration.folder) if file is not None and inside else None
        put(tree / (within or Path(FOLDER, name)), value)


def put(path: Path, value: str) -> None:
    """One secret in its file, for this user alone."""
    make_private(path.parent)
    write_durably(path, value.encode() + b"\n")


def still_missing(
    looks: Iterator[SecretLook], configuration: Configuration, to: Path, values: Mapping[str, str]
) -> Iterator[SecretLook]:
    """Those that have to be provided; of those in the kit, how they come from the file aside."""
    for one in looks:
        aside = quote(str(to / FOLDER / one.name))
        source = configuration.secrets.get(one.name)
        if one.name not in values or source is None:
            yield one
        elif source.env is not None:
            yield replace(one, hint=f'export {source.env}="$(cat {aside})"')
        elif source.file is not None:
            yield replace(one, hint=f"cp {aside} {quote(str(source.file))}")
        else:
            yield replace(one, hint=f"its value lies in {aside}: put it where it belongs")
