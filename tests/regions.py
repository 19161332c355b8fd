"""Real embedded S3 regions for tests: `rclone serve s3` on loopback, each on a free port."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from drorch.adapters.commands import SystemCommands
from drorch.core.model import Region
from drorch.lab.lab import Lab
from drorch.lab.regions import LabRegion, RegionSpec
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials

NAMES = ("mtl", "qc", "tor", "cal")


def start_regions(n: int, folder: Path | None = None) -> list[LabRegion]:
    """`n` regions (mtl, qc, tor, cal) that answer, with an empty bucket each.

    They end with `stop_regions`, or with this process; a folder of our own is then removed.
    """
    chosen = folder or Path(tempfile.mkdtemp(prefix="drorch-regions-"))
    lab = lab_in(chosen)
    regions = list(lab.up([RegionSpec(name, 0) for name in NAMES[:n]]))
    atexit.register(_end, lab, folder is None)
    return regions


def stop_regions(regions: list[LabRegion]) -> None:
    """End them all, for sure."""
    survivors = lab_of(regions[0]).down()
    assert not survivors


def kill_region(region: LabRegion) -> None:
    """As a power cut would."""
    lab_of(region).kill(region.name)


def restart_region(region: LabRegion) -> LabRegion:
    """On the same port and data."""
    return lab_of(region).start(region.name)


@contextmanager
def running_regions(n: int, folder: Path | None = None) -> Iterator[list[LabRegion]]:
    """`start_regions`, ended at the end of the block."""
    regions = start_regions(n, folder)
    try:
        yield regions
    finally:
        stop_regions(regions)


def lab_in(folder: Path) -> Lab:
    """The lab of a folder, with this machine's real processes."""
    return Lab(folder, _commands())


@cache
def _commands() -> SystemCommands:
    """The same for all, so that a server is reaped whoever ends it: thousands of dead ones would be
    looked at whenever another is ended.
    """
    return SystemCommands("drorch-tests")


def lab_of(region: LabRegion) -> Lab:
    """The lab a region belongs to."""
    return lab_in(region.folder)


def credentials_of(region: LabRegion) -> Credentials:
    """The region's key pair."""
    return Credentials(region.id_file.read_text().strip(), region.secret_file.read_text().strip())


def bucket_of(region: LabRegion, prefix: str = "") -> Bucket:
    """The region's bucket, opened with its keys, objects below `prefix`."""
    described = region.as_region()
    chosen = Region(
        name=described.name,
        endpoint=described.endpoint,
        bucket=described.bucket,
        jurisdiction=described.jurisdiction,
        prefix=prefix,
    )
    return Bucket(chosen, credentials_of(region))


def _end(lab: Lab, remove: bool) -> None:
    lab.down()
    if remove:
        shutil.rmtree(lab.folder, ignore_errors=True)
