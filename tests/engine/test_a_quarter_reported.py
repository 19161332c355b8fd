"""Every figure of a quarter's report comes from events: they are added up again by another path.

The quarter was lived by the daemon's own decisions, with outages over its borders, over a change of clocks and
for days; see a_quarter.py. What recounts uses nothing of drorch; see recounted.py.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from drorch.app.program import Program
from drorch.app.quarters import quarter_values
from drorch.core.documenting import document_of
from drorch.core.quarter import Quarter
from drorch.journal.rebuild import rebuild
from drorch.journal.verify import verify_journal
from drorch.reports.tables import tables_of
from tests.engine.a_quarter import DATASETS, DEAD, ZONE, lived
from tests.engine.recounted import Recount, when
from tests.fakes.clock import FakeClock
from tests.unit.docs.quarter_schema import FILE

#: It is lived once, not by each worker.
pytestmark = pytest.mark.xdist_group("quarter")

QUARTER = Quarter(2028, 4)
WORKS = {"backups": "backup", "checks": "check", "restore_tests": "restore-test"}


class Reported:
    """The quarter's folder, the report made of it, and the recount."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.configuration, self.now = lived(folder)
        self.document = self.made()
        self.recount = Recount.of(folder / "drorch.db", ZONE, date(2028, 10, 1), date(2029, 1, 1))

    def program(self, at: datetime | None = None) -> Program:
        program = Program(replace(self.configuration, state="sqlite:///drorch.db"))
        program.__dict__["clock"] = FakeClock(at or self.now.at, self.now.boot, self.now.ticks)
        return program

    def made(self, at: datetime | None = None) -> dict[str, Any]:
        program = self.program(at)
        document = document_of(quarter_values(program, QUARTER))
        program.journal.close()
        return document

    def dataset(self, name: str) -> dict[str, Any]:
        return next(d for d in self.document["datasets"] if d["dataset"] == name)


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    folder = tmp_path_factory.mktemp("quarter")
    yield Reported(folder)
    shutil.rmtree(folder)


def every(hours: int) -> Callable[[datetime], bool]:
    def due(at: datetime) -> bool:
        local = at.astimezone(ZONE)
        midnight = datetime(local.year, local.month, local.day, tzinfo=ZONE).astimezone(UTC)
        return (at - midnight) % timedelta(hours=hours) == timedelta()

    return due


def at_local(hour: int, minute: int, weekday: int | None = None) -> Callable[[datetime], bool]:
    def due(at: datetime) -> bool:
        local = at.astimezone(ZONE)
        fits = weekday is None or local.isoweekday() == weekday
        return fits and (local.hour, local.minute, local.fold) == (hour, minute, 0)

    return due


DUE = {
    "every 4h": every(4),
    "every 6h": every(6),
    "30 2 * * *": at_local(2, 30),
    "15 1 * * *": at_local(1, 15),
    "weekly on sun at 02:10": at_local(2, 10, 7),
}
#: What checks and restore tests follow.
OTHERS = {"checks": at_local(3, 0, 7), "restore_tests": lambda at: at_local(3, 0)(at) and at.astimezone(ZONE).day == 1}  # fmt: skip
NAMES = [name for name, *_ in DATASETS]


def test_the_quarter_had_everything_in_it(reported: Reported) -> None:
    fates = {f for work in reported.document["datasets"] for f in ("late", "missed", "failed", "done") if work["backups"][f]}  # fmt: skip
    assert fates == {"late", "missed", "failed", "done"}
    assert {d["standing"] for d in reported.document["datasets"]} == {"stayed", "entered", "left"}
    assert reported.dataset("d")["copies"][1]["without_s"] > 0
    assert any(work["backups"]["estimated"] for work in reported.document["datasets"])
    assert {r["state"] for r in reported.document["restores"]} >= {"destroyed", "kept"}


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("name", NAMES)
def test_work_is_what_the_events_add_up_to(reported: Reported, name: str, work: str) -> None:
    told, kind = reported.dataset(name)[work], WORKS[work]
    schedule = next(d[1] for d in DATASETS if d[0] == name)
    due = None if name == "old" else (DUE[schedule] if work == "backups" else OTHERS[work])
    counted = reported.recount.work(f"{kind}:{name}", due) + reported.recount.by_hand(kind, name)
    names = ("due", "on_time", "late", "missed", "done", "failed", "open", "by_hand", "failed_by_hand")  # fmt: skip
    assert {key: told[key] for key in names} == {key: counted[key] for key in names}
    assert told["due"] == told["on_time"] + told["late"] + told["missed"]
    assert sum(why["count"] for why in told["missed_why"]) == told["missed"]
    last = reported.recount.last_good(kind, name)
    assert (told["last_at"] and when(told["last_at"])) == (
        last and last.replace(microsecond=last.microsecond // 1000 * 1000)
    )


@pytest.mark.parametrize("name", NAMES)
def test_ages_are_what_the_events_add_up_to(reported: Reported, name: str) -> None:
    dataset = reported.dataset(name)
    runs = [r for r in reported.recount.runs.values() if (r.kind, r.name) == ("backup", name)]
    until = reported.recount.end if dataset["configured"] else runs[-1].began
    assert len(dataset["copies"]) == len(next(d[3] for d in DATASETS if d[0] == name))
    for copy in dataset["copies"]:
        counted = reported.recount.ages(name, copy["region"], until)
        assert {key: copy[key] for key in counted} == pytest.approx(counted, abs=0.002)
        promised = copy["rpo_s"]
        kept = not counted["over_rpo_s"] and not counted["without_s"]
        assert copy["rpo_met"] == (None if promised is None else kept)
        assert len(copy["days_s"]) == len(reported.document["days"]) == 92


def test_what_was_dead_became_old_and_was_caught_up(reported: Reported) -> None:
    tor = next(c for c in reported.dataset("a")["copies"] if c["region"] == "tor")
    days = reported.document["days"]
    back = days.index(f"{DEAD[1]:%Y-%m-%d}")
    assert tor["days_s"][back] > (DEAD[1] - DEAD[0]).total_seconds() > tor["days_s"][back + 1]
    assert tor["rpo_met"] is False


def test_a_dataset_that_entered_has_no_age_before(reported: Reported) -> None:
    (copy, *_) = reported.dataset("new")["copies"]
    entered = reported.document["days"].index("2028-11-20")
    assert copy["days_s"][:entered] == [None] * entered
    assert None not in copy["days_s"][entered:]


def test_one_that_left_is_measured_up_to_its_last_backup(reported: Reported) -> None:
    old = reported.dataset("old")
    assert (old["configured"], old["standing"], old["rpo_s"]) == (False, "left", 9 * 3600)
    left = reported.document["days"].index("2028-10-20")
    assert old["copies"][0]["days_s"][left + 1 :] == [None] * (91 - left)
    assert old["backups"]["due"] > 50
    assert "dataset.left" in {notice["what"] for notice in reported.document["notices"]}


def test_drills_are_what_the_events_add_up_to(reported: Reported) -> None:
    runs = reported.recount.drills(reported.recount.begin, reported.recount.end)
    told = {drill["run"]: drill for drill in reported.document["drills"]}
    assert set(told) == {run.id for run in runs}
    for run in runs:
        rta, rpa = reported.recount.measured(run)
        drill = told[run.id]
        assert drill["rto"]["actual_s"] == pytest.approx(rta, abs=0.002)
        assert drill["rpo"]["actual_s"] == pytest.approx(rpa, abs=0.002)
        assert (drill["outcome"], drill["by"]) == (run.outcome, run.start["by"])
        assert when(drill["started_at"]) == run.began.replace(microsecond=0)
    headline = reported.document["headline"]
    passed = sum(run.outcome == "passed" for run in runs)
    assert (headline["drills"], headline["drills_passed"]) == (len(runs), passed)
    assert headline["no_drill"] is False


def test_trends_are_what_the_events_add_up_to(reported: Reported) -> None:
    service = next(s for s in reported.document["services"] if s["service"] == "ehr")
    assert [t["quarter"] for t in service["trend"]] == ["2028Q1", "2028Q2", "2028Q3", "2028Q4"]
    months = {"2028Q1": (1, 4), "2028Q2": (4, 7), "2028Q3": (7, 10), "2028Q4": (10, 13)}
    for trend in service["trend"]:
        first, after = (reported.recount.midnight(date(2028 + m // 13, (m - 1) % 12 + 1, 1)) for m in months[trend["quarter"]])  # fmt: skip
        runs = [run for run in reported.recount.drills(first, after) if run.name == "ehr"]
        times = [t for t, _ in map(reported.recount.measured, runs) if t is not None]
        points = [p for _, p in map(reported.recount.measured, runs) if p is not None]
        assert trend["drills"] == len(runs)
        for told, counted in (("rto", times), ("rpo", points)):
            worst = trend[told]["worst_s"]
            assert worst == pytest.approx(max(counted), abs=0.002)
            assert trend[told]["best_s"] == pytest.approx(min(counted), abs=0.002)
    assert (service["drilled"], service["passed"], service["failed"]) == (3, 2, 1)


def test_drills_of_the_loss_of_own_records_are_what_the_events_add_up_to(
    reported: Reported,
) -> None:
    recount, found = reported.recount, reported.document["own_records"]
    counted = recount.losses(recount.begin, recount.end)
    assert [{key: one[key] for key in counted[0]} for one in found["drills"]] == counted
    assert [one["outcome"] for one in counted] == ["passed", "failed"]
    assert found["last"]["run"] == counted[-1]["run"]
    before = recount.losses(recount.midnight(date(2028, 4, 1)), recount.midnight(date(2028, 7, 1)))
    first, between, now = found["trend"]
    assert (first["quarter"], first["drills"], first["passed"]) == ("2028Q2", 1, 1)
    assert first["first_restore_s"] == before[0]["first_restore_s"]
    assert (between["drills"], between["behind_s"]) == (0, None)
    assert (now["drills"], now["passed"], now["failed"]) == (2, 1, 1)
    assert now["behind_s"] == counted[0]["behind_s"]
    assert not [f for f in reported.document["findings"] if f["subject"] == "control plane"]


def test_every_restore_is_in_the_access_log(reported: Reported) -> None:
    told = {entry["run"]: entry["state"] for entry in reported.document["restores"]}
    assert told == reported.recount.restores()
    assert len(reported.document["restores"]) == len(told)
    (asked,) = [e for e in reported.document["restores"] if e["kind"] == "restore"]
    assert (asked["by"], asked["purpose"], asked["to"]) == ("mgagnon", "a request", "/dr/b")
    targets = {t["run"] for t in reported.document["targets"]}
    assert targets == set(told) - {asked["run"]}


def test_totals_are_sums(reported: Reported) -> None:
    totals, recount = reported.document["totals"], reported.recount
    assert totals["runs"] == sum(recount.started().values())
    for work in WORKS:
        for key in ("due", "late", "missed", "done", "failed", "by_hand"):
            each = [dataset[work][key] for dataset in reported.document["datasets"]]
            assert totals[work][key] == sum(each)
    assert totals["restores"] == len(recount.restores())


def test_coverage_names_what_was_never_drilled(reported: Reported) -> None:
    tiers = {t["tier"]: t for t in reported.document["coverage"]["tiers"]}
    assert (tiers[1]["drilled"], tiers[1]["never"]) == (["ehr"], ["lab"])
    assert tiers[2]["no_runbook"] == ["office"]
    runbooks = {r["runbook"]: r for r in reported.document["coverage"]["runbooks"]}
    assert runbooks["ehr"]["changed"] == ["runbook ehr"], (
        "its text is not that of the drills' plans"
    )
    assert runbooks["lab"]["changed"] is None


def test_what_no_drill_was_held_against_is_promised_and_not_judged(reported: Reported) -> None:
    promised = {("rto", "ehr"): "ehr", ("rpo", "ehr"): "ehr", ("rto", "lab"): "lab"}
    unproven = {key for key, runbook in promised.items() if reported.recount.unproven(key[1], runbook, key[0])}  # fmt: skip
    words = {"rto": "rto", "drill-rpo": "rpo"}
    told = {
        (words[p["promise"]], p["subject"]): p["why"]
        for p in reported.document["promises"]
        if p["promise"] in words and p["kept"] is None and not p["runs"]
    }
    assert set(told) == unproven
    assert told["rto", "lab"] == "it was never drilled"
    headline, promises = reported.document["headline"], reported.document["promises"]
    assert headline["promises_unjudged"] == sum(p["kept"] is None for p in promises)
    assert headline["promises"] == len(promises)


def test_copies_outside_without_papers_are_findings(reported: Reported) -> None:
    found = [f["id"] for f in reported.document["findings"] if f["what"] == "copy.outside"]
    assert found == ["2028Q4/copy.outside/c in tor"], "those of a have papers"
    residency = {(p["dataset"], p["region"]): p for p in reported.document["residency"]}
    assert residency["a", "tor"]["inside"] is False
    assert (residency["a", "tor"]["assessment"], residency["a", "tor"]["papered"]) == (
        "EFVP-1",
        True,
    )
    assert residency["old", "mtl"]["configured"] is False, "what lies there still is told"


def test_it_fits_the_published_schema_and_gives_tables(reported: Reported) -> None:
    import json

    schema = Draft202012Validator(json.loads(FILE.read_text(encoding="utf-8")))
    assert [error.message for error in schema.iter_errors(reported.document)] == []
    assert len(tables_of(reported.document)["ages.csv"].splitlines()) > 500


def test_made_again_it_says_the_same(reported: Reported) -> None:
    later = reported.made(reported.now.at + timedelta(days=40))
    changed = {k for k in later if later[k] != reported.document[k]}
    assert changed == {"made_at", "retention_until"}, (
        "each writing is kept as long from its own day"
    )
    first, then = (date.fromisoformat(d["retention_until"]) for d in (reported.document, later))
    assert then - first == timedelta(days=40)


def test_it_is_the_same_after_what_is_kept_beside_was_made_anew(reported: Reported) -> None:
    with sqlite3.connect(reported.folder / "drorch.db") as connection:
        for spoilt in (
            "UPDATE points SET newest_at = NULL WHERE dataset = 'a'",
            "DELETE FROM points WHERE dataset = 'c'",
            "UPDATE slots SET fate = 'fired' WHERE fate = 'missed'",
            "UPDATE runs SET outcome = 'passed'",
            "DELETE FROM stocks",
        ):
            connection.execute(spoilt)
    connection.close()
    assert reported.made() != reported.document
    journal = reported.program().journal
    assert rebuild(journal).differences
    assert verify_journal(journal).ok
    journal.close()
    assert reported.made() == reported.document


def test_while_it_runs_it_reaches_up_to_now(reported: Reported) -> None:
    """Of the same journal: what was recorded after that moment changes nothing."""
    at = datetime(2028, 11, 16, 17, 30, tzinfo=UTC)
    running = reported.made(at)
    assert (running["over"], when(running["until"])) == (False, at)
    assert "quarter.running" in {notice["what"] for notice in running["notices"]}
    today = running["days"].index("2028-11-16")
    for dataset in running["datasets"]:
        for copy in dataset["copies"]:
            whole = next(c for c in reported.dataset(dataset["dataset"])["copies"] if c["region"] == copy["region"])  # fmt: skip
            assert copy["days_s"][:today] == whole["days_s"][:today]
            assert copy["days_s"][today + 1 :] == [None] * (91 - today)
    assert all(when(drill["started_at"]) < at for drill in running["drills"])
