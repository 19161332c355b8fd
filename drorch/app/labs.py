"""Use cases of the lab: embedded S3 regions on loopback and an invented hospital to protect."""

from pathlib import Path
from urllib.parse import urlsplit

from drorch.app.keyring import new_pair
from drorch.app.program import Program
from drorch.core.errors import DrorchError, UsageError
from drorch.core.model import Region
from drorch.core.values import Value
from drorch.lab.hospital import production
from drorch.lab.hospital.production import ProgressSink
from drorch.lab.lab import Lab
from drorch.lab.regions import LabRegion, RegionSpec

#: The same seed gives the same hospital, to the byte.
SEED = 2026

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def lab_of(program: Program) -> Lab:
    """The lab of this configuration: `lab` beside the state."""
    return Lab(program.configuration.work / "lab", program.commands)


def up(program: Program, progress: ProgressSink = lambda _: None) -> list[dict[str, Value]]:
    """Bring up the regions that lie on loopback, and the hospital if a dataset is its data."""
    regions_up(program)
    if _has_hospital(program):
        _hospital_up(program, progress)
    return status(program)


def regions_up(program: Program) -> None:
    """Bring up a server for each region of the configuration that lies on loopback."""
    wanted = [
        RegionSpec(region.name, port, region.jurisdiction)
        for region in program.configuration.regions.values()
        if (port := _loopback_port(region.endpoint)) is not None
    ]
    if not wanted:
        raise UsageError(
            "no region of this configuration lies on loopback",
            "the lab serves endpoints such as http://127.0.0.1:9101; see configs/lab.yaml",
        )
    lab_of(program).up(wanted)
    _evidence_key(program)


def _evidence_key(program: Program) -> None:
    """The key that seals evidence, where it is to lie among the lab's own secrets."""
    configuration = program.configuration
    source = configuration.secrets.get(configuration.evidence.key or "")
    if source is not None and source.file is not None:
        path = configuration.folder / source.file
        if path.is_relative_to(configuration.work / "lab"):
            new_pair(path)


def hospital_folder(program: Program) -> Path:
    """Where the invented hospital of this configuration lies: `hospital` beside the state."""
    return program.configuration.work / "hospital"


def _has_hospital(program: Program) -> bool:
    folder = hospital_folder(program)
    paths = [p for d in program.configuration.datasets.values() for p in d.paths]
    return any(p.is_relative_to(folder) for p in paths)


def _hospital_up(program: Program, progress: ProgressSink) -> None:
    folder = hospital_folder(program)
    if (folder / "facts.json").is_file():
        production.start(folder, program.commands)
        return
    production.generate(
        folder,
        seed=SEED,
        database=production.database_here(),
        commands=program.commands,
        progress=progress,
    )


def down(program: Program) -> list[dict[str, Value]]:
    """End the lab's servers, the hospital's too; what they hold stays on disk."""
    try:
        if hospital_folder(program).is_dir():
            production.stop(hospital_folder(program), program.commands)
    finally:
        lab_of(program).down()
    return status(program)


def status(program: Program) -> list[dict[str, Value]]:
    """How each of the lab's servers stands."""
    return [
        {
            "region": one.region.name,
            "endpoint": one.region.endpoint,
            "jurisdiction": one.region.jurisdiction,
            "alive": one.alive,
            "answers": one.answers,
            "data": str(one.region.data),
        }
        for one in lab_of(program).status()
    ]


def with_other_keys(program: Program) -> list[LabRegion]:
    """The lab's regions whose keys in the configuration are not the lab's: they would be refused."""
    regions = program.configuration.regions
    known = (one.region for one in lab_of(program).status())
    return [r for r in known if r.name in regions and not _keys_fit(program, regions[r.name], r)]


def _keys_fit(program: Program, region: Region, served: LabRegion) -> bool:
    named = (region.access_key, region.secret_key)
    files = (served.id_file, served.secret_file)
    try:
        return all(
            name is not None and program.secrets.get(name) == file.read_text().strip()
            for name, file in zip(named, files, strict=True)
        )
    except DrorchError:
        return False


def _loopback_port(endpoint: str) -> int | None:
    url = urlsplit(endpoint)
    return url.port if url.hostname in _LOOPBACK and url.scheme == "http" else None
