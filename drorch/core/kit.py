"""The recovery kit: what must be known, in a safe, when everything of drorch's own is gone. Pure.

What it says is taken apart (`said_of`), so that a look at the configuration of today shows which
part of a kit that was printed once is no longer true.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from drorch.core.encoding import canonical
from drorch.core.kit_made import KitMade
from drorch.core.model import Configuration, Dataset, Region, SecretSource
from drorch.core.names import Mode, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.plane import plane_password, plane_regions
from drorch.core.render import literal
from drorch.core.values import Value

#: The name of the runs that record one, and their subject.
NAME = "recovery-kit"

#: The part that tells where drorch's own records lie.
PLANE = "control plane"


@dataclass(frozen=True, slots=True)
class Plane:
    """Where drorch's own records lie in each region: below `control-plane/ID/VAULT`."""

    id: str
    vault: str


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """A secret that is needed to read the copies, and the file that the kit's commands read it from.

    `opens` are regions (`access`, `secret`) or datasets; `source` is where drorch takes it from, None
    for keys that the configuration names no secret for.
    """

    file: str
    kind: str
    opens: tuple[str, ...]
    source: SecretSource | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known besides the configuration. `keys` are by dataset and first region."""

    plane: Plane | None
    keys: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    public_keys: tuple[str, ...] = ()


def access_files(region: Region) -> tuple[str, str]:
    """The files that hold a region's keys: named as the secrets are, if it has such."""
    return (
        region.access_key or f"{region.name}.access-key",
        region.secret_key or f"{region.name}.secret-key",
    )


def password_of(dataset: Dataset, region: str) -> str:
    """The name of the secret that opens the dataset's repository in a region."""
    own = (copy.password for copy in dataset.copies if copy.region == region)
    return next(own, dataset.password)


def by_password(dataset: Dataset) -> dict[str, list[str]]:
    """The dataset's regions by the name of the secret that opens its repository there."""
    found: dict[str, list[str]] = {}
    for region in dataset.regions:
        found.setdefault(password_of(dataset, region), []).append(region)
    return found


def kit_regions(configuration: Configuration) -> tuple[Region, ...]:
    """Every region in which something lies: those with drorch's own records first."""
    planes = plane_regions(configuration) if plane_password(configuration) else ()
    used = {name for dataset in configuration.datasets.values() for name in dataset.regions}
    others = (r for r in configuration.regions.values() if r.name in used and r not in planes)
    return (*planes, *others)


def needed_secrets(configuration: Configuration) -> tuple[NeededSecret, ...]:
    """What must be had to read the copies, each once."""
    opens: dict[tuple[str, str], list[str]] = {}
    for region in kit_regions(configuration):
        for kind, file in zip(("access", "secret"), access_files(region), strict=True):
            opens.setdefault((file, kind), []).append(region.name)
    for dataset in configuration.datasets.values():
        for region_name in dataset.regions:
            place = opens.setdefault((password_of(dataset, region_name), "password"), [])
            if dataset.name not in place:
                place.append(dataset.name)
    password = plane_password(configuration)
    if password is not None:
        opens.setdefault((password, "password"), []).insert(0, "")
    return tuple(
        NeededSecret(file, kind, tuple(names), configuration.secrets.get(file))
        for (file, kind), names in opens.items()
    )


def said_of(configuration: Configuration, known: Known) -> dict[str, str]:
    """The digest of each part of a kit on this configuration, by what a person calls it."""
    return {name: _digest(value) for name, value in _parts(configuration, known)}


def _parts(configuration: Configuration, known: Known) -> Iterator[tuple[str, Value]]:
    for region in kit_regions(configuration):
        yield (
            f"region {region.name}",
            [
                region.endpoint,
                region.bucket,
                region.prefix,
                region.location,
                region.jurisdiction,
                *access_files(region),
            ],
        )
    for dataset in configuration.datasets.values():
        passwords: list[Value] = [[name, password_of(dataset, name)] for name in dataset.regions]
        keys: list[Value] = [
            [region, *found]
            for (owner, region), found in known.keys.items()
            if owner == dataset.name
        ]
        dump: list[Value] = list(dataset.dump.command) if dataset.dump else []
        file = dataset.dump.filename if dataset.dump else ""
        yield f"dataset {dataset.name}", [dataset.home, passwords, keys, dump, file]
    plane = [known.plane.id, known.plane.vault] if known.plane else []
    yield PLANE, [plane_password(configuration) or "", *plane]
    yield "evidence key", list(known.public_keys)


def _digest(value: Value) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def whole_digest(parts: Mapping[str, str]) -> str:
    """One fingerprint of everything that a kit says."""
    return hashlib.sha256(canonical(dict(parts))).hexdigest()


def changed_since(made: KitMade, today: Mapping[str, str]) -> Sequence[str]:
    """The parts that are not what the kit says: changed, new or gone, in the order of today."""
    then = made.parts
    changed = [name for name, digest in today.items() if then.get(name) != digest]
    return [*changed, *(name for name in then if name not in today)]


def compile_kit(configuration: Configuration, made: KitMade) -> Plan:
    """The plan that records that a kit was made; the moment is that of its run."""
    arguments: dict[str, Value] = {
        "by": literal(made.by),
        "digest": made.digest,
        "parts": dict(made.parts),
        "secrets": list(made.secrets),
        "holders": made.holders,
        "needed": made.needed,
    }
    many = "secret" if len(made.secrets) == 1 else "secrets"
    with_secrets = f" with {len(made.secrets)} {many}" if made.secrets else ""
    shared = f", shared by {made.holders}, of whom {made.needed} open it" if made.holders else ""
    return Plan(
        kind=RunKind.KIT,
        name=NAME,
        mode=Mode.LIVE,
        subject=NAME,
        steps=(PlannedStep("record", Phase.STEPS, "kit.record", arguments, repeatable=True),),
        title=f"Recovery kit{with_secrets}{shared}",
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )
