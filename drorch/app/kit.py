"""Use case `kit`: the recovery kit for the safe, from the configuration and what the journal knows."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import PurePosixPath

from drorch import __version__
from drorch.actions.dumps import loading
from drorch.actions.places import restic_of
from drorch.app.kit_known import known_now
from drorch.app.kit_secrets import Gathered, Sealed
from drorch.app.program import Program
from drorch.app.runs import Control, Request, carry_out
from drorch.core.errors import DrorchError, UsageError
from drorch.core.kit import (
    Known,
    NeededSecret,
    by_password,
    compile_kit,
    kit_regions,
    needed_secrets,
    said_of,
    whole_digest,
)
from drorch.core.kit_made import KitMade
from drorch.core.model import Configuration, Dataset, Region, by_tier, failovers
from drorch.core.plane import plane_password, plane_regions
from drorch.core.typed import typed, value
from drorch.reports.kit.source import RegionByHand, Restoring, Shared, Source
from drorch.restic.bare import RESTORED, opened_region, restored
from drorch.restic.landing import common_root

#: Where the kit's commands recover drorch to, below the folder that they are typed in.
_RECOVERED = "drorch"
#: So many letters stay on one line.
_TOGETHER = 44


def kit_source(
    program: Program, within: Gathered | None = None, seal: Sealed | None = None, name: str = "kit"
) -> Source:
    """Everything that the kit says; `within` it the values of secrets, or sealed, and then also in the
    file NAME.txt. Raises UsageError where there is nothing to say.
    """
    configuration = program.configuration
    if not configuration.datasets:
        raise UsageError(
            "there is no dataset: a kit would have nothing to say",
            "name one under `datasets:` first",
        )
    known = known_now(program)
    needed = needed_secrets(configuration)
    return Source(
        configuration=configuration,
        known=known,
        printed=program.clock.now().at,
        by=program.owner.user,
        version=__version__,
        restic=_restic(program),
        fingerprint=whole_digest(said_of(configuration, known)),
        secrets=needed,
        regions=tuple(_by_hand(configuration, region) for region in kit_regions(configuration)),
        restoring=tuple(_restoring(configuration, known)),
        preparing=(_FOLDER, _ASK if within is None else _PUT),
        giving=tuple(_giving(needed, within.values if within else {})),
        after=tuple(_after(configuration)),
        values=within.values if within else {},
        left_out=within.left_out if within else {},
        shared=_shared(seal, name) if seal else None,
    )


_FOLDER = "unset HISTFILE; umask 077; mkdir -p drorch-kit; cd drorch-kit"
#: `ask NAME` asks for one secret, shows nothing, and leaves it in a file that nobody else can read.
_ASK = """ask() { IFS= read -rsp "$1: " S; printf '%s\\n' "$S" > "$1"; echo; }"""
#: `put NAME VALUE` leaves it there at once.
_PUT = """put() { printf '%s\\n' "$2" > "$1"; }"""


def _giving(needed: Sequence[NeededSecret], values: Mapping[str, str]) -> Iterator[str]:
    """A line for each secret that reading takes; of those that are printed, for all others, too."""
    files = dict.fromkeys([*(one.file for one in needed), *values])
    unknown = [file for file in files if file not in values]
    if values and unknown:
        yield _ASK
    for file in files:
        known = file in values
        yield from typed("put", file, value(values[file])) if known else typed("ask", file)


def _shared(seal: Sealed, name: str) -> Shared:
    shares = [f"share-{n}" for n in range(1, seal.needed + 1)]
    file = value(f"{name}.txt")
    return Shared(
        seal.lines,
        len(seal.shares),
        seal.needed,
        f"{name}.txt",
        PROGRAM,
        typed(
            "drorch recover",
            *_option("--kit", f"{name}.txt"),
            *(f"--share {one}" for one in shares),
            f"--to {_RECOVERED}",
        ),
        typed("python3", PROGRAM, file, *shares),
    )


#: What opens a shared kit without drorch, beside the kit.
PROGRAM = "open_kit.py"


def opening_program() -> bytes:
    """It, as it is put beside the kit."""
    return files("drorch.sealing").joinpath(PROGRAM).read_bytes()


def record(program: Program, source: Source) -> str:
    """Put on record that the kit was made; the run. Raises DrorchError if that cannot be."""
    parts = said_of(source.configuration, source.known)
    made = KitMade(
        source.printed,
        source.by,
        source.fingerprint,
        parts,
        tuple(source.values),
        source.shared.holders if source.shared else 0,
        source.shared.needed if source.shared else 0,
    )
    seen = carry_out(program, compile_kit(source.configuration, made), Request(), control=Control())
    if seen.exit_code:
        raise DrorchError(
            f"the kit could not be put on record: run {seen.run}",
            f"see: drorch run show {seen.run}",
        )
    return seen.run


def _restic(program: Program) -> str:
    try:
        return str(restic_of(program.tools).capabilities().version)
    except DrorchError:
        return ""


def _by_hand(configuration: Configuration, region: Region) -> RegionByHand:
    password = plane_password(configuration)
    recovers = password is not None and region in plane_regions(configuration)
    recover = _recover(region, password or "") if recovers else ()
    return RegionByHand(region.name, opened_region(region), recover)


def _recover(region: Region, password: str) -> tuple[str, ...]:
    given = [_option("--endpoint", region.endpoint), _option("--bucket", region.bucket)]
    if region.prefix.strip("/"):
        given.append(_option("--prefix", region.prefix.strip("/")))
    if region.location != "us-east-1":
        given.append(_option("--location", region.location))
    keys = ("--access-key-env AWS_ACCESS_KEY_ID", "--secret-key-env AWS_SECRET_ACCESS_KEY")
    end = (_option("--password-file", password), _option("--to", _RECOVERED))
    options = [word for pair in (*given, keys, *end) for word in pair]
    return typed("drorch recover", *options)


def _option(name: str, given: str) -> tuple[str, ...]:
    """An option and its value, on one line where that can be."""
    both = f"{name} {value(given)}"
    return (both,) if len(both) < _TOGETHER else (name, value(given))


def _after(configuration: Configuration) -> Iterator[tuple[str, ...]]:
    drorch = ("drorch", "--config", f"{_RECOVERED}/drorch.yaml")
    yield typed(*drorch, "doctor")
    yield typed(*drorch, "status")
    services = failovers(configuration)
    for one in services:
        yield typed(*drorch, "failover", value(one.runbook or ""), "--declare", '"WHY"')
    for two in () if services else by_tier(configuration.datasets.values()):
        name = value(two.name)
        yield typed(*drorch, "restore", name, "--to", f"{RESTORED}/{name}")


def _restoring(configuration: Configuration, known: Known) -> Iterator[Restoring]:
    for dataset in configuration.datasets.values():
        for password, regions in by_password(dataset).items():
            lying, load = _lying(dataset)
            lines = restored(dataset.home, password, dataset.name)
            yield Restoring(dataset.name, tuple(regions), lines, lying, load)
    sealing = plane_password(configuration)
    if known.plane is not None and sealing is not None:
        folder = f"control-plane/{known.plane.id}/{known.plane.vault}/repository"
        lines = restored(folder, sealing, "control-plane")
        there = tuple(region.name for region in plane_regions(configuration))
        yield Restoring("", there, lines, f"{RESTORED}/control-plane")


def _lying(dataset: Dataset) -> tuple[str, tuple[str, ...]]:
    """Where the restored data lies, and how it is loaded if it is a dump."""
    if dataset.dump is not None:
        file = str(PurePosixPath(RESTORED, dataset.name, dataset.dump.filename))
        return file, loading(dataset.dump, file, dataset.name)
    root = common_root([PurePosixPath(path) for path in dataset.paths or ("/",)])
    return f"{RESTORED}/{dataset.name}{root}", ()
