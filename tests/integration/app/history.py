"""Snapshots of other days for premises: made in a moment, real to restic, known to the journal."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, Any

from drorch.actions.genuine import Keyring
from drorch.app import retention
from drorch.app.runs import Control
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.engine.loop import Watcher
from drorch.restic.authentic import SealingKey
from tests.fakes.facts import begun, ended, stamped, started
from tests.integration.app.premises import PASSWORD, Premises, document
from tests.integration.app.seeing import PATIENCE, wait_for
from tests.regions import bucket_of


def master_of(premises: Premises, region: str = "mtl") -> SealingKey:
    """What seals the repository of `docs`."""
    with premises.program() as program:
        return Keyring(program.tools, program.dataset("docs"), region).master


def snapshots(premises: Premises, region: str) -> list[str]:
    """The ids a region shows."""
    return [p.name for p in premises.files(region, "docs", "snapshots")]


def imagined(
    premises: Premises,
    *times: datetime,
    regions: Sequence[str] = ("mtl", "qc"),
    known: bool = True,
    **otherwise: object,
) -> list[str]:
    """Snapshots of these times, otherwise like the first there is; in the same order, their ids."""
    key = master_of(premises)
    like = key.document(premises.files("mtl", "docs", "snapshots")[0].read_bytes())
    made = []
    for at in times:
        told = {**like, **otherwise, "time": at.astimezone(UTC).isoformat()}
        content = key.sealed(json.dumps(told).encode())
        snapshot = hashlib.sha256(content).hexdigest()
        for region in regions:
            put(premises, region, f"snapshots/{snapshot}", content)
        made.append(snapshot)
    if known:
        learn(premises, [(s, t, r) for s, t in zip(made, times, strict=True) for r in regions])
    return made


def learn(premises: Premises, copies: Sequence[tuple[str, datetime, str]]) -> None:
    """Let the journal know of copies."""
    facts = [
        CopyFact(CopyFactKind.HELD, "docs", region, snapshot, at.astimezone(UTC))
        for snapshot, at, region in copies
    ]
    with premises.program() as program:
        told = stamped(started("rumour"), begun(), ended(copies=facts))
        program.journal.begin(f"rumour-{len(program.journal.rows())}", told, lambda _: None)


def put(premises: Premises, region: str, name: str, content: bytes) -> None:
    """Write an object of `docs` as who has the region's credentials can."""
    # By its server: what is written behind its back is not listed for minutes.
    bucket_of(premises.regions[region]).put(f"datasets/docs/{name}", content)


def let_go(premises: Premises, *, watcher: Watcher | None = None, **how: Any) -> dict[str, Any]:
    """Apply retention to `docs`; the run's document."""
    given = {"region": None, "prune": "due", "force": ""} | how
    region = given.pop("region")
    with premises.program() as program:
        (one,) = retention.let_go(
            program,
            [program.dataset("docs")],
            region,
            control=Control(),
            watchers=lambda _: () if watcher is None else (watcher,),
            **given,
        )
    return document(one)


def rules(premises: Premises, **dataset: Any) -> None:
    """Configure the dataset `docs` alone so, with no other one."""
    premises.configuration["datasets"].pop("db", None)
    premises.configuration["datasets"]["docs"] |= dataset
    premises.save()


def whole(premises: Premises, *regions: str) -> list[list[str]]:
    """What restic lists in each region, oldest first, once it has read every byte there."""
    found = []
    for region in regions:
        premises.restic("check", "--read-data", region=region)
        found.append([s["id"] for s in premises.listed(region)])
    return found


def repository(premises: Premises, region: str) -> set[str]:
    """The names of all objects of `docs` in a region, without its locks."""
    top = premises.regions[region].bucket / "datasets" / "docs"
    names = {str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()}
    return {name for name in names if not name.startswith("locks/")}


def locks(premises: Premises, region: str) -> list[str]:
    """The locks that stand in a region; not what its server has not finished writing."""
    return [p.name for p in premises.files(region, "docs", "locks") if len(p.name) == 64]


def printed(premises: Premises, *words: str) -> list[str]:
    """What a command line prints for people who pipe it."""
    done = subprocess.run(
        premises.line(*words),
        env=premises.environment,
        cwd=premises.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return done.stdout.splitlines()


def _unread(pipe: IO[bytes]) -> int:
    """How many bytes still lie in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@contextmanager
def somebody_at_work(premises: Premises, region: str = "mtl") -> Iterator[None]:
    """Another restic that backs up there until the end of the block; it is then killed."""
    secrets = premises.folder / "lab" / "secrets"
    environment = {
        "PATH": os.environ["PATH"],
        "RESTIC_REPOSITORY": f"s3:{premises.regions[region].endpoint}/drorch/datasets/docs",
        "RESTIC_PASSWORD": PASSWORD,
        "AWS_ACCESS_KEY_ID": (secrets / f"{region}-id").read_text().strip(),
        "AWS_SECRET_ACCESS_KEY": (secrets / f"{region}-secret").read_text().strip(),
    }
    words = ["--no-cache", "backup", "--stdin", "--stdin-filename", "endless"]
    with subprocess.Popen(
        [premises.binary, *words],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            # Once it reads, it has looked twice whether anybody else has a lock, and gives way no more.
            assert child.stdin is not None
            child.stdin.write(b"x")
            child.stdin.flush()
            wait_for(lambda: locks(premises, region) and _unread(child.stdin) == 0)
            yield
        finally:
            child.kill()
