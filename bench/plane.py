"""The control plane: what a copy costs after a run, and how long everything takes to come back."""

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Bound, Broken, Figure, series
from bench.history import History
from bench.processes import Ran, environment, run
from bench.yard import ROOT, Site, Yard, drorch_argv
from drorch.app.plane.copying import Copier
from drorch.app.program import Program
from drorch.app.records import record
from drorch.core.events import FindingRecorded
from drorch.core.values import Finding

_RUNS, _FEW, _DATASETS = 1_000_000, 10_000, 10_000


def measure_plane(yard: Yard) -> Iterator[Figure]:
    """A segment of one run to two regions, the way back to the first restore; then a whole state, a
    segment and a recovery of very many runs.
    """
    site = yard.site("plane", copies=["two"])
    yield from _copying(site, yard, "a journal that is new")
    yield from _restoring(site, yard)
    runs = _FEW if yard.quick else _RUNS
    many = yard.site("plane-many", copies=["two-plane-many"])
    days = max(1, runs // _DATASETS)
    begin = datetime.now(UTC) - days * timedelta(days=1)
    (many.folder / "var").mkdir()
    due = {f"d{n:05}": begin + timedelta(seconds=n) for n in range(runs // days)}
    History(many.folder, ("one", "two-plane-many"), due, days).write()
    yield from _whole(many, runs)
    yield from _copying(many, yard, f"a journal of {runs:,} runs")
    yield from _recovering(many, yard, runs)


def _copying(site: Site, yard: Yard, journal: str) -> Iterator[Figure]:
    repetitions = 5 if yard.quick else 50
    env = {**os.environ, "DRORCH_RESTIC": yard.restic}
    program = Program.open(site.folder / "drorch.yaml", env)
    copier = Copier(program)
    wall, spent = [], []
    try:
        _recorded(program)
        copier.copy()  # the vault, the clients, the files
        before = _bytes(yard, site)
        for _ in range(repetitions):
            _recorded(program)
            began, cpu = time.monotonic(), time.process_time()
            brought = copier.copy()
            wall.append(1000 * (time.monotonic() - began))
            spent.append(1000 * (time.process_time() - cpu))
            if {one.result for one in brought} != {"copied"}:
                raise Broken("a region took no segment")
        size = (_bytes(yard, site) - before) / repetitions
    finally:
        program.journal.close()
        program.commands.close()
    note = f"one run of three events, {journal}, two regions on this machine; on no backup's path"
    yield Figure(f"a segment to two regions: wall, {journal}", series(wall), "ms", note=note)
    yield Figure(f"its processor time, {journal}", series(spent), "ms", note=note)
    yield Figure(f"its bytes in one region, {journal}", series([size]), "B", note=note)


def _recorded(program: Program) -> None:
    record(program, FindingRecorded(Finding("bench", "bench", "a run like another")))


def _bytes(yard: Yard, site: Site) -> int:
    top = yard.regions[0].bucket / site.folder.name / "control-plane"
    return sum(p.stat().st_size for p in top.rglob("segments/*/*"))


def _restoring(site: Site, yard: Yard) -> Iterator[Figure]:
    """From an empty machine to the first restored dataset."""
    site.drorch("repo", "init")
    site.drorch("backup", "documents", "--json")
    site.drorch("replicate", "--control-plane")
    to = yard.bulk / "first"
    back = _recovered(site, yard, to).wall
    config = ("--config", str(to / "drorch.yaml"))
    restored = site.drorch(*config, "restore", "documents", "--to", str(yard.bulk / "restored"))
    yield Figure(
        "drorch recover, then the first restore",
        series([back + restored.wall]),
        "s",
        bound=Bound(60),
        note=f"an empty machine, a dataset of {yard.amount.total // 1_000_000} MB",
    )
    for folder in (to, yard.bulk / "restored"):
        shutil.rmtree(folder)


def _whole(site: Site, runs: int) -> Iterator[Figure]:
    note = f"a journal of {runs:,} runs, five events each"
    first = site.drorch("replicate", "--control-plane")
    yield Figure("replicate --control-plane, the first time", series([first.wall]), "s", note=note)
    again = site.drorch("replicate", "--control-plane")
    yield Figure("replicate --control-plane, nothing new", series([again.wall]), "s", note=note)


def _recovering(site: Site, yard: Yard, runs: int) -> Iterator[Figure]:
    shutil.rmtree(site.folder / "var")  # the site is gone, and its room is needed
    to = Path(yard.disk) / "recovered"
    with ThreadPoolExecutor(1) as beside:
        began = time.monotonic()
        there = beside.submit(_appears, to)
        done = _recovered(site, yard, to)
        ready = there.result() - began
    note = f"a journal of {runs:,} runs, five events each"
    yield Figure(
        "drorch recover, until it can be worked with",
        series([ready]),
        "s",
        note=f"{note}, verified",
    )
    rest = f"{note}; what is kept beside them compared, too"
    yield Figure("drorch recover, to its end", series([done.wall]), "s", note=rest)
    yield Figure("its memory at most", series([done.peak_mb]), "MB", note=f"{note}; its own")
    shutil.rmtree(to)


def _appears(to: Path) -> float:
    """When the folder was there: it appears at once, whole."""
    while not to.exists():
        time.sleep(0.05)
    return time.monotonic()


def _recovered(site: Site, yard: Yard, to: Path) -> Ran:
    """A recovery from the first region alone."""
    region = yard.regions[0]
    secrets = region.id_file.parent
    known: dict[str, Any] = {
        "AK": (secrets / "one-id").read_text().strip(),
        "SK": (secrets / "one-secret").read_text().strip(),
    }
    env = environment(DRORCH_RESTIC=yard.restic, PYTHONPATH=str(ROOT), **known)
    line = [
        *(*drorch_argv(), "recover", "--endpoint", region.endpoint, "--bucket", "drorch"),
        *("--prefix", site.folder.name, "--access-key-env", "AK", "--secret-key-env", "SK"),
        *("--password-file", str(secrets / "repo-key"), "--to", str(to)),
    ]
    return run(line, env=env, cwd=Path(yard.disk), log=yard.log)
