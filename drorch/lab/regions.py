"""What the lab knows of its regions, and the file that keeps it from one command to the next."""

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drorch.core.errors import DrorchError
from drorch.core.model import Region
from drorch.ports import ServiceProcess

#: The only bucket of a lab region.
BUCKET = "drorch"

#: Where the lab lies, seen from the configuration's folder.
DEFAULT_FOLDER = Path("var/lab")

#: Where the default regions listen: the first here, the others above it.
FIRST_PORT = 9101


class LabError(DrorchError):
    """The lab could not be brought up or down."""


class PortTaken(LabError):
    """Something else listens where a region would."""

    def __init__(self, region: str, port: int) -> None:
        super().__init__(
            f"port {port}, where the lab's region {region} would listen, is taken",
            f"end what listens there (`ss -ltnp 'sport = :{port}'` names it), "
            "or give the lab other ports",
        )
        self.region = region
        self.port = port


@dataclass(frozen=True, slots=True)
class RegionSpec:
    """A region to be: port 0 takes a free one when it first comes up, and keeps it."""

    name: str
    port: int
    jurisdiction: str = "CA-QC"


#: The regions of the sample configuration.
DEFAULT_REGIONS = (RegionSpec("mtl", FIRST_PORT), RegionSpec("qc", FIRST_PORT + 1))


@dataclass(frozen=True, slots=True)
class LabRegion:
    """One embedded region. `data` holds the bucket as a folder; the keys lie in two files (0600)."""

    name: str
    port: int
    jurisdiction: str
    folder: Path
    process: ServiceProcess | None = None

    @property
    def endpoint(self) -> str:
        """The address for S3 clients."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The folder rclone serves; the bucket is the folder of its name in it."""
        return self.folder / "data" / self.name

    @property
    def bucket(self) -> Path:
        """The bucket's objects as files."""
        return self.data / BUCKET

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.folder / "log" / f"{self.name}.log"

    @property
    def id_file(self) -> Path:
        """Holds the access key's id."""
        return self.folder / "secrets" / f"{self.name}-id"

    @property
    def secret_file(self) -> Path:
        """Holds the access key's secret."""
        return self.folder / "secrets" / f"{self.name}-secret"

    def as_region(self) -> Region:
        """The region as a configuration describes it; its secrets are named as their files are."""
        return Region(
            name=self.name,
            endpoint=self.endpoint,
            bucket=BUCKET,
            jurisdiction=self.jurisdiction,
            access_key=self.id_file.name,
            secret_key=self.secret_file.name,
        )


def load(folder: Path) -> tuple[LabRegion, ...]:
    """The regions this lab folder knows, in the order they were first brought up.

    Raises LabError when the file cannot be understood.
    """
    path = folder / "lab.json"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    try:
        return tuple(_decode(folder, entry) for entry in json.loads(text)["regions"])
    except (ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path} is not a lab's state", "end rclone by hand, then remove the file"
        ) from error


def save(folder: Path, regions: Iterable[LabRegion]) -> None:
    """Remember the regions, atomically."""
    text = json.dumps({"regions": [_encode(r) for r in regions]}, indent=2) + "\n"
    partial = folder / "lab.json.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(folder / "lab.json")


def with_process(region: LabRegion, process: ServiceProcess | None) -> LabRegion:
    """The region served by that process, or by none."""
    return replace(region, process=process)


def make_secrets(folder: Path, regions: Iterable[LabRegion]) -> None:
    """Write what is not there yet: a random key pair for each region, and a repository password."""
    (folder / "secrets").mkdir(mode=0o700, parents=True, exist_ok=True)
    for region in regions:
        _write_once(region.id_file, secrets.token_hex(10))
        _write_once(region.secret_file, secrets.token_hex(20))
    _write_once(folder / "secrets" / "repo-key", secrets.token_urlsafe(32))


def _write_once(path: Path, value: str) -> None:
    if path.exists() and path.read_text(encoding="utf-8").strip():
        return
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(value + "\n")
    partial.replace(path)


def _encode(region: LabRegion) -> Mapping[str, Any]:
    process = region.process
    return {
        "name": region.name,
        "port": region.port,
        "jurisdiction": region.jurisdiction,
        "process": process
        and {"pid": process.pid, "started": process.started, "boot": process.boot},
    }


def _decode(folder: Path, entry: Mapping[str, Any]) -> LabRegion:
    process = entry["process"]
    return LabRegion(
        str(entry["name"]),
        int(entry["port"]),
        str(entry["jurisdiction"]),
        folder,
        process
        and ServiceProcess(int(process["pid"]), int(process["started"]), str(process["boot"])),
    )
