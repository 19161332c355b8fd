"""Where everything is measured: a folder on disk, one for bulk data, two regions, configurations.

Bulk data (documents, regions) lies in memory where there is room, so that figures tell of programs
and not of a disk. State that must be durable, and every cache, always lies on disk.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from bench.documents import write_documents
from bench.machine import file_system
from bench.processes import Ran, environment, run
from drorch.adapters.commands import SystemCommands
from drorch.lab.lab import Lab
from drorch.lab.regions import BUCKET, LabRegion, RegionSpec

#: What bulk data needs at most: the documents, and some repositories of them.
_ROOM = 7 << 30
_SHARED_MEMORY = Path("/dev/shm")

ROOT = Path(__file__).resolve().parent.parent
_PASSWORD = "bench"


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured: the data, and how often."""

    files: int = 2000
    total: int = 800_000_000
    repetitions: int = 3


QUICK = Amount(files=500, total=100_000_000, repetitions=1)


def console_script() -> Path | None:
    """The `drorch` of this environment, if it is installed."""
    script = Path(sys.executable).parent / "drorch"
    return script if script.exists() else None


def drorch_argv() -> list[str]:
    """drorch as people start it: the console script, or else the module."""
    script = console_script()
    return [str(script)] if script else [sys.executable, "-m", "drorch"]


@dataclass
class Yard:
    """A place to measure in. Used in a `with`, which removes it and ends its regions."""

    restic: str
    amount: Amount = field(default_factory=Amount)
    quick: bool = False

    def __enter__(self) -> Self:
        self.disk = Path(tempfile.mkdtemp(prefix="drorch-bench-"))
        roomy = _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > _ROOM
        self.bulk = (
            Path(tempfile.mkdtemp(prefix="drorch-bench-", dir=_SHARED_MEMORY))
            if roomy
            else self.disk / "bulk"
        )
        self.log = self.disk / "log"
        self._lab: Lab | None = None
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._lab is not None:
                self._lab.down()
        finally:
            for folder in (self.bulk, self.disk):
                shutil.rmtree(folder, ignore_errors=True)

    @property
    def places(self) -> dict[str, str]:
        """What lies on which kind of file system."""
        return {
            "state and caches": file_system(self.disk),
            "documents and regions": file_system(self.bulk),
        }

    @cached_property
    def documents(self) -> Path:
        """The data to back up, written when first asked for."""
        folder = self.bulk / "documents"
        write_documents(folder, files=self.amount.files, total=self.amount.total)
        return folder

    @cached_property
    def regions(self) -> tuple[LabRegion, ...]:
        """Two regions of one key pair (`restic copy` has room for one), started when first asked."""
        folder = self.bulk / "lab"
        secrets = folder / "secrets"
        secrets.mkdir(parents=True)
        for name in ("one", "two"):
            (secrets / f"{name}-id").write_text("benchbenchbenchbench\n")
            (secrets / f"{name}-secret").write_text("benchbenchbenchbenchbenchbenchbenchbench\n")
        (secrets / "repo-key").write_text(f"{_PASSWORD}\n")
        self._lab = Lab(folder, SystemCommands("drorch-bench"))
        return self._lab.up([RegionSpec("one", 0), RegionSpec("two", 0)])

    def restart(self) -> None:
        """End the regions' servers and start them again: they look at no folder twice."""
        for region in self.regions:
            if self._lab is not None:
                self._lab.kill(region.name)
                self._lab.start(region.name)

    def forget(self, *prefixes: str) -> None:
        """Remove what lies under these prefixes in every region."""
        for region in self.regions:
            for prefix in prefixes:
                shutil.rmtree(region.bucket / prefix, ignore_errors=True)

    def site(
        self,
        name: str,
        *,
        copies: Sequence[str] = (),
        prefix: str = "",
        endpoints: Sequence[str] = (),
    ) -> "Site":
        """A configuration with the dataset `documents`, its primary `one`, and mirrors.

        A mirror `two-x` lies in region two under a prefix of its own, `x`. `endpoints` are others
        that lead to the two regions.
        """
        one, two = self.regions
        ways = endpoints or (one.endpoint, two.endpoint)
        regions = {"one": _region(ways[0], prefix or name)}
        for copy in copies:
            regions[copy] = _region(ways[1], copy)
        dataset: dict[str, Any] = {
            "site": "here",
            "paths": [str(self.documents)],
            "password": "repo-key",
            "primary": "one",
            "copies": dict.fromkeys(copies, "mirror"),
        }
        secrets = one.id_file.parent
        return self._site(
            name,
            {
                "secrets": {
                    key: {"file": str(secrets / file)}
                    for key, file in (
                        ("id", "one-id"),
                        ("secret", "one-secret"),
                        ("repo-key", "repo-key"),
                    )
                },
                "sites": {"here": {"jurisdiction": "CA-QC"}},
                "regions": regions,
                "datasets": {"documents": dataset},
            },
        )

    def bare_site(self, name: str) -> "Site":
        """A configuration that knows runbooks alone."""
        return self._site(name, {})

    def _site(self, name: str, configuration: Mapping[str, Any]) -> "Site":
        folder = self.disk / "sites" / name
        (folder / "runbooks").mkdir(parents=True)
        # JSON is YAML.
        (folder / "drorch.yaml").write_text(json.dumps(configuration or {"language": "en"}))
        return Site(folder, self.restic, self.log)

    def repository(self, prefix: str, *, region: int = 0, endpoint: str = "") -> "Repository":
        """A repository for bare restic, in a region under a prefix of its own."""
        url = f"s3:{endpoint or self.regions[region].endpoint}/{BUCKET}/{prefix}"
        return Repository(self, url, self.disk / "caches" / prefix.replace("/", "-"))


def _region(endpoint: str, prefix: str) -> dict[str, str]:
    return {
        "endpoint": endpoint,
        "bucket": BUCKET,
        "prefix": prefix,
        "jurisdiction": "CA-QC",
        "access_key": "id",
        "secret_key": "secret",
    }


@dataclass(frozen=True, slots=True)
class Site:
    """A configuration's folder, and drorch started there as a process."""

    folder: Path
    restic: str
    log: Path

    def drorch(self, *arguments: str, restic: str | None = None) -> Ran:
        """Run a drorch command line; Broken when it fails."""
        env = environment(DRORCH_RESTIC=restic or self.restic, PYTHONPATH=str(ROOT))
        return run([*drorch_argv(), *arguments], env=env, cwd=self.folder, log=self.log)


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare restic repository, with a cache of its own as drorch's has."""

    yard: Yard
    url: str
    cache: Path

    def restic(self, *arguments: str, source: "Repository | None" = None) -> Ran:
        """Run restic with drorch's environment for it; Broken when it fails."""
        one = self.yard.regions[0]
        env = environment(
            RESTIC_REPOSITORY=self.url,
            RESTIC_PASSWORD=_PASSWORD,
            RESTIC_CACHE_DIR=str(self.cache),
            RESTIC_PROGRESS_FPS="2",
            AWS_ACCESS_KEY_ID=one.id_file.read_text().strip(),
            AWS_SECRET_ACCESS_KEY=one.secret_file.read_text().strip(),
            AWS_DEFAULT_REGION="us-east-1",
        )
        if source is not None:
            env |= {"RESTIC_FROM_REPOSITORY": source.url, "RESTIC_FROM_PASSWORD": _PASSWORD}
        yard = self.yard
        return run([yard.restic, *arguments], env=env, cwd=yard.disk, log=yard.log)

    def init(self, source: "Repository | None" = None) -> "Repository":
        """Make it, cutting data in the same places as `source`."""
        more = ["--copy-chunker-params"] if source is not None else []
        self.restic("init", "--repository-version", "2", *more, source=source)
        return self

    def backup(self) -> Ran:
        """The documents, by the command line drorch uses."""
        argv = ("backup", "--json", "--host", "here", "--tag=drorch", "--tag=run=bench", "--")
        return self.restic(*argv, str(self.yard.documents))
