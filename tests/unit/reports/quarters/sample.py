"""Two invented quarters of a hospital as documents: one with everything, one without any drill.

`python -m tests.unit.reports.quarters.sample` writes them beside; a test holds them equal.
"""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from drorch.core.controls import controls_of
from drorch.core.documenting import document_of
from drorch.core.quarter_datasets import Missed, Work
from drorch.core.quarter_document import (
    FORMAT,
    Headline,
    Notice,
    QuarterDocument,
    Signing,
    Totals,
    Verifying,
)
from drorch.core.quarter_drills import (
    Coverage,
    DrillSchedule,
    Range,
    RunbookQuarter,
    TierCoverage,
    Trend,
)
from drorch.core.quarter_loss import LossDrill, LossTrend, OwnRecords
from tests.unit.reports.quarters.datasets import all_datasets
from tests.unit.reports.quarters.drills import EHR_LATE, IMAGING, LAB, all_drills, all_services
from tests.unit.reports.quarters.moments import BEGIN, DAY, DAYS, END, HOUR, QUARTER, ZONE, at
from tests.unit.reports.quarters.places import all_places, all_restores, all_targets
from tests.unit.reports.quarters.records import all_actions, all_findings, all_promises, unproven

FOLDER = Path(__file__).parent


def hospital() -> QuarterDocument:
    """The quarter with everything."""
    drills, datasets, promises = all_drills(), tuple(all_datasets()), tuple(all_promises())
    findings, actions, restores = (
        tuple(all_findings()),
        tuple(all_actions()),
        tuple(all_restores(drills)),
    )
    return QuarterDocument(
        format=FORMAT,
        quarter=str(QUARTER),
        organization="Centre hospitalier Sainte-Rive",
        timezone=ZONE.key,
        from_=BEGIN,
        to=END,
        until=END,
        over=True,
        made_at=END + 4 * DAY + 11 * HOUR,
        version="0.5.0",
        journal_begins=at(1, 5) - 700 * DAY,
        headline=Headline(
            no_drill=False,
            drills=5,
            drills_passed=4,
            promises=len(promises),
            promises_kept=sum(p.kept is True for p in promises),
            promises_broken=sum(p.kept is False for p in promises),
            promises_unjudged=sum(p.kept is None for p in promises),
        ),
        notices=(
            Notice("dataset.entered", "research-images", "research-images is backed up since 15 November"),
            Notice("dataset.left", "old-fileserver", "old-fileserver is not in the configuration any more"),
            Notice("sealing.off", "", "nothing is sealed: the configuration names no evidence key"),
        ),
        totals=Totals(
            datasets=len(datasets),
            services=4,
            runs=41_877,
            backups=_sum([d.backups for d in datasets]),
            checks=_sum([d.checks for d in datasets]),
            scrubs=_sum([d.scrubs for d in datasets]),
            restore_tests=_sum([d.restore_tests for d in datasets]),
            drills=Work("", 4, 3, 0, 1, 2, 1),
            drills_passed=4,
            drills_failed=1,
            drills_aborted=0,
            restores=len(restores),
            findings=len(findings),
            actions_open=4,
            actions_overdue=1,
            actions_closed=1,
        ),
        promises=promises,
        services=tuple(all_services(drills)),
        days=DAYS,
        datasets=datasets,
        drill_schedules=(
            DrillSchedule("ehr-quarterly", "ehr-failover", "ehr", True, Work("quarterly", 1, 1, done=1)),
            DrillSchedule("lab-quarterly", "lab-failover", "laboratory", True, Work("quarterly", 1, 1, failed=1)),
            DrillSchedule("imaging-quarterly", "imaging-failover", "imaging", True, Work("quarterly", 1, 1, done=1)),
            DrillSchedule("network-monthly", None, None, False, Work("", 1, 0, 0, 1, missed_why=(Missed("no daemon was running", 1),))),
        ),
        drills=drills,
        coverage=Coverage(
            since=date(2024, 2, 4),
            tiers=(
                TierCoverage(1, 1, ("ehr",), (), (), ()),
                TierCoverage(2, 2, ("imaging", "laboratory"), (), (), ()),
                TierCoverage(3, 1, (), (), (), ("office",)),
            ),
            never_restored=("research-images",),
            not_restored=("intranet", "old-fileserver"),
            runbooks=(
                RunbookQuarter("ehr-failover", "ehr", 1, 2, EHR_LATE, at(12, 10, 14, 30), "passed", at(12, 10, 14, 30), ("dataset ehr-audit",), ()),
                RunbookQuarter("imaging-failover", "imaging", 2, 1, IMAGING, at(10, 1, 4, 10), "passed", at(10, 1, 4, 10), ("runbook imaging-failover", "region qc"), ()),
                RunbookQuarter("lab-failover", "laboratory", 2, 2, LAB, at(10, 20, 10), "passed", at(10, 20, 10), (), ()),
                RunbookQuarter("water-damage", None, None, 0, None, None, None, None, None, ()),
            ),
        ),
        own_records=_own_records(),
        findings=findings,
        actions=actions,
        residency=tuple(all_places()),
        targets=tuple(all_targets(drills)),
        restores=restores,
        controls=(),
        retention_until=date(2033, 1, 5),
        verifying=Verifying("sha256:" + "e7" * 32, 83_754, "drorch journal verify", False, "the configuration names no key under `evidence:`"),
        sign_off=(Signing("Dr. Louise Bélanger", "Director of professional services"), Signing("Marc Gagnon", "CISO")),
    )  # fmt: skip


LOST = "2026-11-03T14-00-00Z-control-plane-lost-51ab"


def _own_records() -> OwnRecords:
    failed = LossDrill(
        "2026-10-02T14-00-00Z-control-plane-lost-07cc",
        at(10, 2, 14),
        "failed",
        "mtl",
        None,
        None,
        None,
        None,
        None,
    )
    drill = LossDrill(
        LOST,
        at(11, 3, 14),
        "passed",
        "qc",
        at(11, 3, 13, 59),
        timedelta(seconds=4.2),
        3,
        "ehr-db",
        timedelta(seconds=47.5),
    )
    trend = (
        LossTrend("2026Q2", 1, 1, 0, 0, timedelta(seconds=312), timedelta(seconds=71)),
        LossTrend("2026Q3", 0, 0, 0, 0, None, None),
        LossTrend(str(QUARTER), 2, 1, 1, 0, drill.behind, drill.first_restore),
    )
    return OwnRecords(("mtl", "qc"), drill, drill.started_at, (failed, drill), trend)  # fmt: skip


def _sum(works: list[Work]) -> Work:
    names = ("due", "on_time", "late", "missed", "done", "failed", "by_hand", "failed_by_hand")
    return Work("", **{name: sum(getattr(one, name) for one in works) for name in names})


def no_drill() -> QuarterDocument:
    """The quarter that runs still, without any drill, of two datasets in their first weeks."""
    whole = hospital()
    until = at(11, 26, 15, 14)
    short = tuple(
        replace(
            one,
            copies=tuple(
                replace(c, days=(*c.days[:57], *(None for _ in DAYS[57:])), newest_at=until - HOUR / 4, age=HOUR / 4)
                for c in one.copies
            ),
        )
        for one in whole.datasets[:2]
    )  # fmt: skip
    names = {one.dataset for one in short}
    promises = (
        *(p for p in whole.promises if p.subject.split(" ")[0] in names),
        *unproven("ehr", HOUR, HOUR / 2, "it was not drilled"),
    )
    ehr = replace(
        whole.services[0],
        drilled=0,
        passed=0,
        measured_rto=Range(HOUR),
        measured_rpo=Range(HOUR / 2),
        last_drill_at=at(7, 1, 4),
        trend=(*whole.services[0].trend[:8], Trend(str(QUARTER), 0, 0, 0, 0, Range(), Range())),
    )
    return replace(
        whole,
        until=until,
        over=False,
        made_at=until,
        headline=Headline(
            True,
            0,
            0,
            len(promises),
            sum(p.kept is True for p in promises),
            sum(p.kept is False for p in promises),
            sum(p.kept is None for p in promises),
        ),
        notices=(Notice("quarter.running", "", "the quarter is not over"),),
        totals=replace(whole.totals, datasets=2, services=1, drills=Work("", 1, 0, 0, 1), drills_passed=0, drills_failed=0, restores=0, findings=1, actions_open=0, actions_overdue=0, actions_closed=0),
        promises=promises,
        services=(ehr,),
        datasets=short,
        drill_schedules=(replace(whole.drill_schedules[0], drills=Work("quarterly", 1, 0, 0, 1, missed_why=(Missed("no daemon was running", 1),))),),
        drills=(),
        coverage=replace(whole.coverage, tiers=(TierCoverage(1, 1, (), ("ehr",), (), ()),), never_restored=(), not_restored=("ehr-db", "ehr-documents"), runbooks=whole.coverage.runbooks[:1]),
        own_records=OwnRecords(("mtl", "qc"), None, None, (), ()),
        findings=whole.findings[4:5],
        actions=(),
        residency=tuple(p for p in whole.residency if p.dataset in names),
        targets=(),
        restores=(),
        sign_off=(),
    )  # fmt: skip


SAMPLES = {"hospital": hospital, "no_drill": no_drill}


def text_of(name: str) -> str:
    """The sample as its file holds it."""
    bare = SAMPLES[name]()
    whole = replace(bare, controls=controls_of(bare))
    return json.dumps(document_of(whole), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for sample in SAMPLES:
        (FOLDER / f"{sample}.json").write_text(text_of(sample), encoding="utf-8")
