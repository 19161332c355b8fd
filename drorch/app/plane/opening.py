"""A state that was brought back, opened as a program that works in the folder it lies in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drorch.adapters.evidence import write_durably
from drorch.adapters.exercised import HandedOver, handed_over
from drorch.adapters.secrets import ConfiguredSecrets
from drorch.app.plane.adopting import LentSecrets
from drorch.app.plane.choosing import Brought, Candidate, Unusable
from drorch.app.plane.files import CONFIGURATION, RUNBOOKS
from drorch.app.plane.recovered import Wish
from drorch.app.program import Program
from drorch.config.load import configuration_placed, load_configuration
from drorch.config.relocating import with_values
from drorch.core.model import Configuration, Region
from drorch.core.plane import plane_password

#: What is not as it was in the configuration that was recovered.
MOVED = {"state": "sqlite:///var/drorch.db", "runbooks": RUNBOOKS}


@dataclass(frozen=True, slots=True)
class Made:
    """A candidate made real below `tree`. `placed` is its configuration as it will be in the folder that
    was wished for, from which relative paths count then.
    """

    candidate: Candidate
    brought: Brought
    program: Program = field(repr=False)
    tree: Path
    placed: Configuration


def opened(wish: Wish, candidate: Candidate, brought: Brought, tree: Path) -> Made:
    """The program on what was brought back; its configuration points into the folder, and its secrets
    know what was given by hand.

    Raises Unusable without a configuration, ConfigurationError for one that does not hold.
    """
    for name, content in brought.files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)
    (tree / RUNBOOKS).mkdir(exist_ok=True)
    path = tree / CONFIGURATION
    if not path.is_file():
        raise Unusable("it holds no configuration")
    _move(path, MOVED)
    if wish.exercise:
        _move(path, {"exercise": _known_there(wish, path)})
    program = Program(load_configuration(path), {**wish.environment, "DRORCH_RESTIC": wish.restic})
    placed = configuration_placed(path, wish.to / CONFIGURATION)
    program.__dict__["secrets"] = _secrets(wish, program, placed)
    return Made(candidate, brought, program, tree, placed)


def _move(path: Path, values: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8-sig")
    write_durably(path, with_values(text, CONFIGURATION, values).encode())


def _known_there(wish: Wish, path: Path) -> str:
    """What the configuration calls the region; what it does not know it could not read."""
    name = name_of(load_configuration(path), wish.region)
    if name is None:
        raise Unusable(f"its configuration knows no region at {wish.region.endpoint}")
    return name


def _secrets(wish: Wish, program: Program, configuration: Configuration) -> ConfiguredSecrets:
    given = _given(wish, configuration)
    if wish.exercise:
        known = {**handed_over(wish.environment), **given}
        return HandedOver(configuration, program.commands, program.environment, known)
    return LentSecrets(configuration, program.commands, program.environment).lent(given)


def _given(wish: Wish, configuration: Configuration) -> dict[str, str]:
    """What was given by hand, by the names that the configuration has for it."""
    found = {n: v for n, v in wish.secrets.items() if n in configuration.secrets}
    password = plane_password(configuration)
    if password is not None:
        found[password] = wish.passphrase
    keys = wish.credentials
    for region in configuration.regions.values():
        if same_place(region, wish.region) and region.access_key and region.secret_key:
            found[region.access_key] = keys.access_key or ""
            found[region.secret_key] = keys.secret_key or ""
    return {name: value for name, value in found.items() if value}


def name_of(configuration: Configuration, place: Region) -> str | None:
    """What the configuration calls the region that lies there; None if it knows none."""
    return next((r.name for r in configuration.regions.values() if same_place(r, place)), None)


def same_place(one: Region, other: Region) -> bool:
    """Whether two regions lie at the same address, whatever they are called."""
    return place_of(one) == place_of(other)


def place_of(region: Region) -> tuple[str, str, str]:
    """Where a region lies: endpoint, bucket, prefix."""
    return (region.endpoint.rstrip("/"), region.bucket, region.prefix)
