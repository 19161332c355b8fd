"""What figures say of promises, and which findings they add up to."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from drorch.core.quarter_datasets import Work
from drorch.core.quarter_document import PromiseQuarter
from drorch.core.quarter_drills import Reached
from drorch.core.quarter_findings import Findings
from drorch.core.quarter_judging import key_promise, promises_of
from drorch.core.quarter_records import Destruction
from tests.unit.reports.quarters.moments import BEGIN, END
from tests.unit.reports.quarters.sample import hospital

DOCUMENT = hospital()
FIND = Findings("2026Q4", BEGIN, END)


def promised(**parts: Any) -> list[PromiseQuarter]:
    found: dict[str, Any] = {"datasets": (), "drills": (), "schedules": (), "services": (), "places": (), "restores": ()}  # fmt: skip
    return list(promises_of(**(found | parts)))


def judged(**parts: Any) -> dict[tuple[str, str], PromiseQuarter]:
    return {(p.promise, p.subject): p for p in promised(**parts)}


def test_seconds_are_written_out() -> None:
    (dataset,) = (d for d in DOCUMENT.datasets if d.dataset == "mail-archive")
    long = replace(dataset.copies[1], worst_age=timedelta(days=13, milliseconds=250))
    found = judged(datasets=[replace(dataset, copies=(long,))])
    assert found["rpo", "mail-archive in tor"].measured == "1123200.25s"
    assert found["rpo", "mail-archive in tor"].promised == "86400s"


@pytest.mark.parametrize(
    ("work", "kept", "why"),
    [
        (Work("hourly", 3, 3, done=3), True, ""),
        (Work("hourly", 3, 1, 1, 1, 1, 1), False, "1 missed, 1 failed"),
        (Work("hourly", 3, 2, missed=1, done=2), False, "1 missed"),
        (Work("hourly"), None, "none was due"),
    ],
)
def test_work_is_kept_if_nothing_was_missed_or_failed(
    work: Work, kept: bool | None, why: str
) -> None:
    dataset = replace(DOCUMENT.datasets[0], copies=(), backups=work)
    promise = judged(datasets=[dataset])["backup", "ehr-documents"]
    assert (promise.kept, promise.why, promise.measured) == (kept, why, f"{work.done}/{work.due}")


def test_a_drill_that_failed_proves_no_recovery_point() -> None:
    failed = next(d for d in DOCUMENT.drills if d.outcome == "failed")
    measured = replace(failed, rpo=replace(failed.rpo, actual=timedelta(minutes=3)))
    found = judged(drills=[measured])
    assert found["rto", "laboratory"].why == "it was not recovered"
    assert found["drill-rpo", "laboratory"].kept is None
    assert found["drill-rpo", "laboratory"].why.startswith("it did not pass")
    unmeasured = judged(drills=[failed])["drill-rpo", "laboratory"]
    assert unmeasured.why == "the drill did not measure it"


def test_what_is_promised_for_a_service_without_a_drill_cannot_be_judged() -> None:
    office = next(s for s in DOCUMENT.services if s.service == "office")
    found = judged(services=[office])
    assert set(found) == {("rto", "office"), ("drill-rpo", "office")}
    rto = found["rto", "office"]
    assert (rto.promised, rto.measured, rto.kept) == ("259200s", "", None)
    assert rto.why == "it was never drilled"
    before = replace(office, rpo=None, last_drill_at=BEGIN - timedelta(days=1))
    (only,) = judged(services=[before]).values()
    assert (only.promise, only.why) == ("rto", "it was not drilled")


def test_each_promise_for_a_service_is_told_once() -> None:
    ehr = next(s for s in DOCUMENT.services if s.service == "ehr")
    held = [d for d in DOCUMENT.drills if d.service == "ehr"]
    assert len(list(promised(drills=held, services=[ehr]))) == 2 * len(held)
    unnamed = [replace(d, service="") for d in held]
    assert {p.subject for p in promised(drills=unnamed, services=[ehr])} == {"ehr-failover"}
    bare = [replace(d, rpo=Reached()) for d in held]
    (rpo,) = (p for p in promised(drills=bare, services=[ehr]) if p.promise == "drill-rpo")
    assert (rpo.kept, rpo.why) == (None, "no drill was held against it")


def test_what_was_left_behind_breaks_a_promise() -> None:
    (promise,) = judged(restores=DOCUMENT.restores).values()
    left = [r.run for r in DOCUMENT.restores if r.state is Destruction.LEFT]
    assert (promise.promise, promise.kept, promise.why) == (
        "destruction",
        False,
        f"{len(left)} left",
    )
    assert promise.runs == tuple(dict.fromkeys(left))
    kept = [r for r in DOCUMENT.restores if r.state is Destruction.KEPT]
    assert judged(restores=kept) == {}, "nobody promised to remove what somebody asked for"


@pytest.mark.parametrize(("days", "kept"), [(10, True), (100, False), (None, None)])
def test_a_password_is_to_be_changed_in_time(days: int | None, kept: bool | None) -> None:
    age = None if days is None else timedelta(days=days)
    promise = key_promise("a in mtl", timedelta(days=90), age)
    assert (promise.kept, bool(promise.why)) == (kept, days is None)


def test_findings_have_ids_that_stay() -> None:
    places = list(FIND.of_places(DOCUMENT.residency))
    assert [f.id for f in places] == ["2026Q4/copy.outside/mail-archive in tor"]
    assert places[0].age == END - BEGIN
    coverage = list(FIND.of_coverage(DOCUMENT.coverage, DOCUMENT.services))
    assert [f.id for f in coverage] == [
        "2026Q4/service.never-drilled/office",
        "2026Q4/runbook.changed/ehr-failover",
        "2026Q4/runbook.changed/imaging-failover",
    ]


def test_a_broken_rpo_was_found_when_it_was_first_broken() -> None:
    dataset = next(d for d in DOCUMENT.datasets if any(c.rpo_met is False for c in d.copies))
    copy = next(c for c in dataset.copies if c.rpo_met is False)
    whole = replace(dataset, copies=(copy,), backups=Work(), restore_tests=Work())
    (found,) = (f for f in FIND.of_datasets([whole], DOCUMENT.coverage) if "rpo" in f.what)
    assert copy.broken_at is not None
    assert copy.worst_at is not None
    assert copy.broken_at < copy.worst_at
    assert (found.found_at, found.age) == (copy.broken_at, END - copy.broken_at)


def test_a_copy_that_never_held_anything_is_a_finding() -> None:
    dataset = DOCUMENT.datasets[0]
    never = replace(dataset.copies[0], rpo_met=False, worst_age=None, first_at=None)
    gone = replace(dataset.copies[1], rpo_met=False, without=timedelta(hours=3))
    whole = replace(dataset, copies=(never, gone), backups=Work(), restore_tests=Work())
    found = {f.subject: f.message for f in FIND.of_datasets([whole], DOCUMENT.coverage)}
    assert found["ehr-documents in mtl"] == "mtl never held a snapshot of ehr-documents"
    assert found["ehr-documents in qc"] == "qc held no snapshot of ehr-documents for 3h"
