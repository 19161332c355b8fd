"""A whole small installation for tests: sources, regions that really serve S3, restic, a journal.

`Premises` is one folder: `drorch.yaml` (JSON, which is YAML), `src/` with what is protected,
`lab/` with the regions' servers and keys, `var/` with the state. Everything in it is real; only
the data is tiny. restic is started through a script that writes down each start.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drorch.adapters.ownership import alive
from drorch.app import backups
from drorch.app.program import Program
from drorch.app.runs import Control, RunView
from drorch.core.errors import DrorchError
from drorch.core.events import Owner
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy
from drorch.lab.regions import LabRegion, RegionSpec
from drorch.storage.bucket import close_buckets
from tests.fakes.facts import begun, ended, stamped, started
from tests.forked import run
from tests.integration.app.seeing import PATIENCE, marked, wait_for
from tests.regions import kill_region, lab_in, restart_region

SOURCE = Path(__file__).parents[3]

#: Values that must never be written down anywhere.
PASSWORD = "correct-horse-battery-mtl"
OTHER_PASSWORD = "incorrect-donkey-accu-tor"

_COUNTED = """\
#!/bin/sh
echo "$*" >> {log}
exec {binary} "$@"
"""


def restics() -> list[Path]:
    """Real binaries, oldest first: those of $DRORCH_RESTIC_VERSIONS, else the installed one."""
    folder = os.environ.get("DRORCH_RESTIC_VERSIONS")
    found = sorted(Path(folder).glob("restic-*")) if folder else []
    installed = shutil.which("restic")
    return found or ([Path(installed)] if installed else [])


@dataclass(frozen=True)
class Said:
    """What a command line came to: exit code, stdout's one JSON document, stderr."""

    code: int
    document: Any
    errors: str

    @property
    def error(self) -> str:
        """The only error there is."""
        (line,) = [x for x in self.errors.splitlines() if x.startswith("error: ")]
        assert "Traceback" not in self.errors
        return line

    @property
    def hint(self) -> str:
        """The only hint there is."""
        (line,) = [x for x in self.errors.splitlines() if x.startswith("hint: ")]
        return line


@dataclass
class Premises:
    """One installation; `configuration` is what drorch.yaml says once `save` was called."""

    folder: Path
    binary: Path
    configuration: dict[str, Any] = field(default_factory=dict)
    regions: dict[str, LabRegion] = field(default_factory=dict)
    #: Whether command lines are forked from a process that has loaded drorch (tests/forked.py).
    forks: bool = False

    # --- making

    @classmethod
    def made(cls, folder: Path, binary: Path, names: Sequence[str] = ("mtl", "qc")) -> "Premises":
        """Sources, keys and a configuration; regions are up, and empty."""
        made = cls(folder, binary)
        made._fill()
        made._configure(names)
        made._rise(names)
        return made

    def kept(self, folder: Path) -> None:
        """Keep a copy, to begin again from; the regions should be down."""
        shutil.copytree(self.folder, folder, symlinks=True)

    def begun_again(self, kept: Path) -> "Premises":
        """As it was when it was kept, in the same place (restic knows sources by their paths)."""
        shutil.rmtree(self.folder)
        shutil.copytree(kept, self.folder, symlinks=True)
        (self.folder / "lab" / "lab.json").unlink()
        again = Premises(
            self.folder, self.binary, json.loads((self.folder / "drorch.yaml").read_text())
        )
        again.forks = self.forks
        again._rise(list(again.configuration["regions"]))
        return again

    def down(self) -> None:
        """End the regions' servers."""
        assert lab_in(self.folder / "lab").down() == ()

    def _fill(self) -> None:
        docs = self.folder / "src" / "docs"
        (docs / "wards").mkdir(parents=True)
        (docs / "wards" / "a.txt").write_text("north\n")
        (docs / "scan.bin").write_bytes(os.urandom(300_000))
        (docs / "été.txt").write_text("été\n")
        (self.folder / "src" / "rows").write_text("one patient\n")
        self.program_file("dump", "exec cat src/rows")
        (self.folder / "runbooks").mkdir()
        self._count_starts()

    def _count_starts(self) -> None:
        script = self.folder / "restic"
        text = _COUNTED.format(log=self.folder / "restic.log", binary=self.binary)
        script.write_text(text)
        script.chmod(0o755)

    def _configure(self, names: Sequence[str]) -> None:
        secrets = self.folder / "lab" / "secrets"
        secrets.mkdir(parents=True, mode=0o700)
        if "tor" in names:  # a copy by restic needs one key pair for both of its ends
            for part in ("id", "secret"):
                for name in ("mtl", "tor"):
                    (secrets / f"{name}-{part}").write_text(f"shared-by-mtl-and-tor-{part}\n")
        for name, password in (("repo-key", PASSWORD), ("tor-key", OTHER_PASSWORD)):
            (secrets / name).write_text(password + "\n")
        for file in secrets.iterdir():
            file.chmod(0o600)
        known = ["repo-key", "tor-key"] + [f"{n}-{p}" for n in names for p in ("id", "secret")]
        self.configuration = {
            "organization": "Centre hospitalier Sainte-Rive",
            "state": "sqlite:///var/drorch.db",
            "runbooks": "runbooks",
            "secrets": {name: {"file": f"lab/secrets/{name}"} for name in known},
            "regions": {
                name: {
                    "endpoint": "",
                    "bucket": "drorch",
                    "jurisdiction": "CA-QC",
                    "access_key": f"{name}-id",
                    "secret_key": f"{name}-secret",
                }
                for name in names
            },
            "datasets": {
                "docs": self.dataset(paths=["src/docs"]),
                "db": self.dataset(dump={"command": ["./dump"], "filename": "ehr.dump"}),
            },
        }

    def _rise(self, names: Sequence[str]) -> None:
        up = lab_in(self.folder / "lab").up([RegionSpec(name, 0) for name in names])
        self.regions = {region.name: region for region in up}
        for name, region in self.regions.items():
            self.configuration["regions"][name]["endpoint"] = region.endpoint
        self.save()

    @staticmethod
    def dataset(**settings: Any) -> dict[str, Any]:
        """A dataset in mtl, mirrored to qc, unless told otherwise."""
        usual = {
            "password": "repo-key",
            "primary": "mtl",
            "copies": {"qc": "mirror"},
            "objectives": {"rpo": "30m"},
        }
        return usual | settings

    def save(self) -> None:
        """Write the configuration as it now stands."""
        (self.folder / "drorch.yaml").write_text(json.dumps(self.configuration, indent=1))

    def program_file(self, name: str, script: str) -> Path:
        """A shell script in the folder."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    # --- using

    @property
    def environment(self) -> dict[str, str]:
        """What drorch finds around it."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "HOME": str(self.folder),
            "DRORCH_RESTIC": str(self.folder / "restic"),
        }

    @contextmanager
    def program(self) -> Iterator[Program]:
        """The program on this configuration, in this process."""
        program = Program.open(self.folder / "drorch.yaml", self.environment)
        try:
            yield program
        finally:
            if "journal" in vars(program):
                program.journal.close()
            if "commands" in vars(program):
                program.commands.close()
            close_buckets()

    def back_up(self, name: str = "docs") -> dict[str, Any]:
        """Back a dataset up; the run's document."""
        with self.program() as program:
            (one,) = backups.back_up(program, [program.dataset(name)], control=Control())
        return document(one)

    def replicate(self, name: str = "docs") -> dict[str, Any]:
        """Bring it to its further regions."""
        with self.program() as program:
            wanted = [program.dataset(name)]
            (one,) = backups.replicate(program, wanted, None, control=Control())
        return document(one)

    def check(self, name: str = "docs", **how: Any) -> dict[str, Any]:
        """Check its repositories."""
        with self.program() as program:
            wanted = [program.dataset(name)]
            given = {"region": None, "read_data": False} | how
            (one,) = backups.check(program, wanted, control=Control(), **given)
        return document(one)

    def scrub(self, name: str = "docs", **how: Any) -> dict[str, Any]:
        """Hash what lies in its regions."""
        with self.program() as program:
            wanted = [program.dataset(name)]
            given = {"region": None} | how
            (one,) = backups.scrub(program, wanted, control=Control(), **given)
        return document(one)

    def heal(self, name: str = "docs", **how: Any) -> dict[str, Any]:
        """Make its regions whole."""
        with self.program() as program:
            wanted = [program.dataset(name)]
            given = {"region": None, "read_data": False} | how
            (one,) = backups.heal(program, wanted, control=Control(), **given)
        return document(one)

    def restore(self, name: str = "docs", to: str = "back", **how: Any) -> dict[str, Any]:
        """Restore it into a folder of ours."""
        with self.program() as program:
            seen = backups.restore(program, name, self.folder / to, control=Control(), **how)
        return document(seen)

    def cli(self, *words: str, wrap: Sequence[str] = (), **environment: str) -> Said:
        """One command line, with --json."""
        if self.forks and not wrap:
            given = ["--config", str(self.folder / "drorch.yaml"), *words, "--json"]
            code, out, errors = run(given, self.environment | environment, self.folder, PATIENCE)
            return Said(code, json.loads(out or "null"), errors)
        done = subprocess.run(
            [*wrap, *self.line(*words), "--json"],
            env=self.environment | environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Said(done.returncode, json.loads(done.stdout or "null"), done.stderr)

    def line(self, *words: str) -> list[str]:
        """A command line on this configuration."""
        config = str(self.folder / "drorch.yaml")
        return [sys.executable, "-m", "drorch", "--config", config, *words]

    @contextmanager
    def started(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """A command line under way, in a session of its own; killed at the end if still there."""
        process = subprocess.Popen(
            self.line(*words),
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def kill(self, region: str) -> None:
        """As a power cut would."""
        kill_region(self.regions[region])

    def revive(self, region: str) -> None:
        """On the same port and data."""
        self.regions[region] = restart_region(self.regions[region])

    # --- looking

    def starts(self) -> list[str]:
        """The arguments of every start of restic so far."""
        log = self.folder / "restic.log"
        return log.read_text().splitlines() if log.exists() else []

    def verbs(self) -> list[str]:
        """What restic was started to do, besides telling its version."""
        known = {"init", "backup", "snapshots", "restore", "check", "copy", "unlock", "ls", "cat"}
        known |= {"forget", "prune"}
        found = (next((w for w in line.split() if w in known), line) for line in self.starts())
        return [verb for verb in found if "version" not in verb]

    def forget_starts(self) -> None:
        """Count from here."""
        (self.folder / "restic.log").unlink(missing_ok=True)

    def objects(self, region: str, below: str = "") -> list[str]:
        """The names of a region's objects, looked at behind its server's back."""
        top = self.regions[region].data
        found = (p for p in (top / below).rglob("*") if p.is_file())
        return sorted(str(p.relative_to(top)) for p in found)

    def files(self, region: str, dataset: str, kind: str) -> list[Path]:
        """The files behind a repository's objects of one kind."""
        top = self.regions[region].bucket / "datasets" / dataset / kind
        return sorted(p for p in top.rglob("*") if p.is_file())

    def know(self, copy: KnownCopy, **otherwise: Any) -> None:
        """Make the journal believe something else of a copy."""
        kept = {
            f: getattr(copy, f) for f in ("region", "snapshot", "snapshot_at", "files", "bytes")
        }
        fact = CopyFact(CopyFactKind.HELD, copy.dataset, **(kept | otherwise))
        with self.program() as program:
            told = stamped(started("rumour"), begun(), ended(copies=[fact]))
            program.journal.begin(f"rumour-{len(program.journal.rows())}", told, lambda _: None)

    def restic(
        self,
        *words: str,
        region: str = "mtl",
        dataset: str = "docs",
        cache: Path | None = None,
        **how: Any,
    ) -> str:
        """restic by hand, as somebody else than drorch; what it printed."""
        secrets = self.folder / "lab" / "secrets"
        environment = {
            "PATH": os.environ["PATH"],
            "RESTIC_REPOSITORY": f"s3:{self.regions[region].endpoint}/drorch/datasets/{dataset}",
            "RESTIC_PASSWORD": PASSWORD if region != "tor" else OTHER_PASSWORD,
            "AWS_ACCESS_KEY_ID": (secrets / f"{region}-id").read_text().strip(),
            "AWS_SECRET_ACCESS_KEY": (secrets / f"{region}-secret").read_text().strip(),
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        where = ["--no-cache"] if cache is None else ["--cache-dir", str(cache)]
        line = [str(self.binary), *where, *words]
        done = subprocess.run(
            line, env=environment, check=True, capture_output=True, text=True, **how
        )
        return done.stdout

    def listed(self, region: str = "mtl", dataset: str = "docs") -> list[dict[str, Any]]:
        """The snapshots restic sees, oldest first."""
        found = json.loads(self.restic("snapshots", "--json", region=region, dataset=dataset))
        return sorted(found, key=lambda s: s["time"])

    def status(self, dataset: str = "docs", region: str = "mtl") -> dict[str, Any]:
        """One copy of `status --json`."""
        with self.program() as program:
            from drorch.app.posture import status

            found: Any = status(program)
        (one,) = [d for d in found["datasets"] if d["dataset"] == dataset]
        (copy,) = [c for c in one["copies"] if c["region"] == region]
        return copy

    def alarms(self) -> list[tuple[str, str]]:
        """What is alarming, and about what; but not that the run failed which found it, nor that
        drorch's own records are behind: these premises began as a copy of others that may be older
        than is allowed, and it is the command line that copies records, not what is called here.
        """
        with self.program() as program:
            from drorch.app.posture import status

            found: Any = status(program)
        told = [(a["what"], a["subject"]) for a in found["alarms"]]
        return [one for one in told if one[0] not in ("run.failed", "control-plane.behind")]

    def wait_until_dead(self, run: str) -> None:
        """The run's owner is gone, and so is everything it had started."""
        with self.program() as program:
            row = program.journal.find(run)
        owner = Owner(
            row.owner_host, row.owner_pid, row.owner_started, row.owner_boot, "", row.owner_token
        )
        wait_for(lambda: alive(owner) is False and not marked(row.owner_token))


def document(one: RunView | DrorchError) -> dict[str, Any]:
    """The run's document; the error raised if there was no run."""
    if isinstance(one, DrorchError):
        raise one
    found: Mapping[str, Any] = one.document
    return dict(found)
