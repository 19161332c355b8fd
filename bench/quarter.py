"""`drorch report quarter` on a journal of a million runs: four hundred datasets that are backed up
every hour, into two regions, and sixty drills in each of nine quarters.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.figures import Bound, Broken, Figure, series
from bench.history import History
from bench.yard import Site, Yard
from drorch.core.events import (
    AttemptFinished,
    AttemptStarted,
    Event,
    Owner,
    RunFinished,
    RunStarted,
    Stamped,
)
from drorch.core.model import Objectives
from drorch.core.moment import Moment
from drorch.core.names import Mode, Outcome, Phase, RunKind, Verdict
from drorch.core.plan import Plan, PlannedStep
from drorch.core.quarter import Quarter
from drorch.journal.store import SqlJournal
from drorch.journal.verify import verify_journal

#: What was promised: seconds and MB.
_TIME, _MEMORY = 20, 400

_DATASETS, _BACKUPS, _DRILLS, _SERVICES = 400, 2_500, 60, 20
_HOUR, _DAY, _SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)

#: Over before any machine's clock: the backups go on for some days after it.
_QUARTER = Quarter(2026, 2)
_OWNER = Owner("dr-1", 4711, 123_456, "boot", "drorch", "t0k3n")


def measure_quarter(yard: Yard) -> Iterator[Figure]:
    """Time and memory of the report, as each format, by a process of its own."""
    datasets, backups = (40, 100) if yard.quick else (_DATASETS, _BACKUPS)
    site = _written(yard, datasets, backups)
    runs = datasets * backups
    note = f"{datasets} datasets, a journal of {runs:,} runs, {_DRILLS} drills in the quarter"
    for form, suffix in _SUFFIX.items():
        taken = [
            site.drorch("report", "quarter", str(_QUARTER), "--output", f"quarter.{suffix}")
            for _ in range(1 if yard.quick else yard.amount.repetitions)
        ]
        what = f"drorch report quarter, {form}"
        wall, cpu = series([one.wall for one in taken]), series([one.cpu for one in taken])
        peak = series([one.peak_mb for one in taken])
        yield Figure(f"{what}: time", wall, "s", bound=Bound(_TIME), note=note)
        yield Figure(f"{what}: processor time", cpu, "s", note=note)
        yield Figure(f"{what}: peak memory", peak, "MB", bound=Bound(_MEMORY), note=note)
    _sound(site, datasets)


_SUFFIX = {"json": "json", "csv": "zip", "html": "html", "pdf": "pdf"}


def _written(yard: Yard, datasets: int, backups: int) -> Site:
    site = yard.bare_site("quarter")
    names = [f"d{n:03}" for n in range(datasets)]
    (site.folder / "drorch.yaml").write_text(json.dumps(_configuration(names)))
    (site.folder / "var").mkdir()
    (site.folder / "key").write_text("bench\n")
    for n in range(_SERVICES):
        (site.folder / "runbooks" / f"r{n:02}.yaml").write_text(json.dumps(_runbook(n)))
    end = _QUARTER.end(UTC) + 3 * _DAY
    begin = end - backups * _HOUR
    due = {name: begin + n * _HOUR / datasets for n, name in enumerate(names)}
    History(site.folder, ("one", "two"), due, backups, every=_HOUR).write()
    with SqlJournal("sqlite:///var/drorch.db", folder=site.folder) as journal:
        for back in range(8, -1, -1):
            _drilled(journal, _QUARTER.moved(-back).begin(UTC), names)
        if yard.quick and not verify_journal(journal).ok:
            raise Broken("the journal that was made is not right")
    return site


def _configuration(names: Sequence[str]) -> dict[str, Any]:
    region = {"bucket": "bench", "jurisdiction": "CA-QC", "access_key": "key", "secret_key": "key"}
    return {
        "organization": "Bench",
        "timezone": "UTC",
        "secrets": {"key": {"file": "key"}},
        "sites": {"here": {"jurisdiction": "CA-QC"}},
        "regions": {
            name: {"endpoint": f"http://127.0.0.1:{port}", **region}
            for name, port in (("one", 9001), ("two", 9002))
        },
        "datasets": {
            name: {
                "site": "here",
                "paths": [f"/srv/{name}"],
                "password": "key",
                "primary": "one",
                "copies": {"two": "mirror"},
                "schedule": "hourly",
                "tier": n % 4 + 1,
                "objectives": {"rpo": "2h"},
                "residency": ["CA-QC"],
            }
            for n, name in enumerate(names)
        },
        "services": {
            f"s{n:02}": {
                "tier": n % 4 + 1,
                "runbook": f"r{n:02}",
                "objectives": {"rto": "1h", "rpo": "2h"},
                "datasets": [names[n]],
            }
            for n in range(_SERVICES)
        },
    }


def _runbook(n: int) -> dict[str, Any]:
    step = {"step": "look", "do": "command", "with": {"argv": ["/bin/true"]}}
    return {"runbook": f"r{n:02}", "title": "Bring it back", "steps": [step]}


def _drilled(journal: SqlJournal, begin: datetime, names: Sequence[str]) -> None:
    """A quarter's drills: of ten steps each, with two restores."""
    for n in range(_DRILLS):
        at = begin + n * _DAY * 1.4
        events = list(_events(n % _SERVICES, names[n % len(names)], at, failed=n % 15 == 7))
        stamped = [
            Stamped(Moment(at + m * 20 * _SECOND, "boot", 1000.0 + m * 20), event)
            for m, event in enumerate(events)
        ]
        journal.begin(f"{at:%Y-%m-%dT%H-%M-%SZ}-r{n % _SERVICES:02}-{n:04x}", stamped, _any)


def _any(_row: object) -> None:
    """Runs of one runbook may follow each other."""


def _events(runbook: int, dataset: str, at: datetime, *, failed: bool) -> Iterator[Event]:
    plan = Plan(
        RunKind.DRILL,
        f"r{runbook:02}",
        Mode.DRILL,
        f"runbook:r{runbook:02}",
        tuple(_steps(dataset)),
        objectives=Objectives(_HOUR / 12, 2 * _HOUR),
        service=f"s{runbook:02}",
        runbook_digest="1f" * 32,
    )
    yield RunStarted(plan, _OWNER, "drorch", "operator")
    for step in plan.steps:
        yield AttemptStarted(step.id, 1, step.arguments)
        bad = failed and step.id == "answers"
        outputs: dict[str, Any] = {"exit": 0}
        if step.do == "restore":
            then = (at - _HOUR / 2).isoformat().replace("+00:00", "Z")
            outputs = {"dataset": dataset, "region": "two", "snapshot": "9a" * 32}
            outputs |= {
                "snapshot_at": then,
                "files": 2000,
                "bytes": 10**9,
                "path": f"/dr/{step.id}",
            }
        if step.do == "files.remove":
            outputs = {"removed": ["/dr"], "files": 4000, "bytes": 2 * 10**9}
        verdict = Verdict.FAIL if bad else Verdict.PASS
        message = "it did not answer" if bad else ""
        yield AttemptFinished(
            step.id, 1, verdict, 20 * _SECOND, outputs, "exit-code" if bad else "", message
        )
    yield RunFinished(Outcome.FAILED if failed else Outcome.PASSED)


def _steps(dataset: str) -> Iterator[PlannedStep]:
    for name in ("documents", "database"):
        arguments = {"dataset": dataset, "region": "two", "to": f"/dr/{name}"}
        yield PlannedStep(name, Phase.STEPS, "restore", arguments, repeatable=True)
    before = "database"
    for name in ("network", "start", "settle", "open"):
        argv = {"argv": ["/bin/true", name]}
        yield PlannedStep(name, Phase.STEPS, "command", argv, needs=(before,))
        before = name
    for name in ("answers", "whole", "current"):
        yield PlannedStep(name, Phase.VERIFY, "command", {"argv": ["/bin/true"]}, check=True)
    yield PlannedStep("remove", Phase.CLEANUP, "files.remove", {"path": "/dr"})


def _sound(site: Site, datasets: int) -> None:
    """The report says what was put into the journal; Broken if not."""
    told = json.loads((site.folder / "quarter.json").read_text())
    headline, totals = told["headline"], told["totals"]
    if (headline["drills"], headline["drills_passed"]) != (_DRILLS, _DRILLS - 4):
        raise Broken(f"the report says otherwise: {headline}")
    if totals["datasets"] != datasets or totals["backups"]["due"] != totals["backups"]["done"]:
        raise Broken(f"the report says otherwise: {totals}")
