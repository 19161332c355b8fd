"""Its drills, and its services over the quarters."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from drorch.core.quarter_drills import DrillQuarter, Range, Reached, ServiceQuarter, Trend
from tests.unit.reports.quarters.datasets import DATASETS
from tests.unit.reports.quarters.moments import DAY, HOUR, MINUTE, QUARTER, at


def _drill(
    run: str,
    runbook: str,
    service: str,
    began: datetime,
    took: timedelta | None,
    rto: timedelta,
    rpa: timedelta | None,
    rpo: timedelta,
    outcome: str = "passed",
    **more: object,
) -> DrillQuarter:
    met = (took is not None and took <= rto) if outcome != "aborted" else None
    usual = DrillQuarter(
        run=run,
        kind="drill",
        runbook=runbook,
        title=f"Bring back {service} at Québec",
        service=service,
        trigger="schedule",
        by="drorch",
        reason="",
        due_at=began.replace(minute=0),
        started_at=began,
        finished_at=began + (took or rto) + 2 * MINUTE,
        outcome=outcome,
        dirty=False,
        rto=Reached(rto, took, met),
        rpo=Reached(rpo, rpa, None if rpa is None else rpa <= rpo),
        machine=(took or rto) * 0.8,
        person=(took or rto) * 0.2,
        datasets=tuple(d[0] for d in DATASETS if service in d[3]),
        regions=("qc",),
        failed_step=None,
        not_tested=("go-ahead",),
        findings=1,
        exercise="isolated",
        runbook_digest="sha256:" + "1f" * 32,
        journal_head="sha256:" + "c4" * 32,
    )
    return replace(usual, **more)  # type: ignore[arg-type] # fields by name


EHR, EHR_LATE = "2026-10-01T08-00-03Z-ehr-failover-7f3a", "2026-12-10T19-30-00Z-ehr-failover-0b1c"
LAB_FAILED, LAB = "2026-10-01T08-05-11Z-lab-failover-91d2", "2026-10-20T14-00-00Z-lab-failover-4e77"
IMAGING = "2026-10-01T08-10-40Z-imaging-failover-c0de"


def all_drills() -> tuple[DrillQuarter, ...]:
    return (
        _drill(EHR, "ehr-failover", "ehr", at(10, 1, 4), 38 * MINUTE, HOUR, 11 * MINUTE, HOUR / 2),
        _drill(
            LAB_FAILED,
            "lab-failover",
            "laboratory",
            at(10, 1, 4, 5),
            None,
            4 * HOUR,
            None,
            HOUR,
            "failed",
            failed_step="start-laboratory",
            findings=3,
            dirty=True,
        ),
        _drill(
            IMAGING,
            "imaging-failover",
            "imaging",
            at(10, 1, 4, 10),
            2.4 * HOUR,
            8 * HOUR,
            95 * MINUTE,
            HOUR,
            findings=2,
        ),
        _drill(
            LAB,
            "lab-failover",
            "laboratory",
            at(10, 20, 10),
            3.1 * HOUR,
            4 * HOUR,
            41 * MINUTE,
            HOUR,
            trigger="operator",
            by="ntremblay",
            reason="once more after the failed one",
            due_at=None,
        ),
        _drill(
            EHR_LATE,
            "ehr-failover",
            "ehr",
            at(12, 10, 14, 30),
            71 * MINUTE,
            HOUR,
            14 * MINUTE,
            HOUR / 2,
            trigger="operator",
            by="mgagnon",
            reason="with the night shift",
            due_at=None,
            findings=2,
            exercise="live",
        ),
    )


def _range(target: timedelta, times: list[timedelta], missed: int | None = None) -> Range:
    if not times:
        return Range(target)
    over = sum(one > target for one in times) if missed is None else missed
    return Range(
        target, min(times), max(times), times[-1], len(times) - min(over, len(times)), over
    )


def _trends(
    n: int, rto: timedelta, rpo: timedelta, drills: list[DrillQuarter]
) -> tuple[Trend, ...]:
    random = Random(n)
    found = []
    for back in range(8, 0, -1):
        if n == 1 and back == 3:  # no drill in that quarter
            found.append(Trend(str(QUARTER.moved(-back)), 0, 0, 0, 0, Range(), Range()))
            continue
        times = [rto * random.uniform(0.4, 1.1 + back / 40) for _ in range(1 + back % 2)]
        points = [rpo * random.uniform(0.2, 0.9) for _ in times]
        whole = [timedelta(seconds=round(one.total_seconds())) for one in times]
        ages = [timedelta(seconds=round(one.total_seconds())) for one in points]
        old = rto * 2 if back > 5 and n == 0 else rto
        count = len(whole)
        found.append(
            Trend(
                str(QUARTER.moved(-back)), count, count, 0, 0, _range(old, whole), _range(rpo, ages)
            )
        )
    passed = [d for d in drills if d.outcome == "passed"]
    found.append(
        Trend(
            str(QUARTER),
            len(drills),
            len(passed),
            len(drills) - len(passed),
            0,
            _range(rto, [d.rto.actual for d in passed if d.rto.actual], None),
            _range(rpo, [d.rpo.actual for d in passed if d.rpo.actual], None),
        )
    )
    return tuple(found)


SERVICES = (
    ("ehr", 1, "ehr-failover", HOUR, HOUR / 2),
    ("imaging", 2, "imaging-failover", 8 * HOUR, HOUR),
    ("laboratory", 2, "lab-failover", 4 * HOUR, HOUR),
    ("office", 3, None, 3 * DAY, 24 * HOUR),
)


def all_services(drills: tuple[DrillQuarter, ...]) -> Iterator[ServiceQuarter]:
    for n, (name, tier, runbook, rto, rpo) in enumerate(SERVICES):
        own = [d for d in drills if d.service == name]
        trend = _trends(n, rto, rpo, own) if runbook else ()
        yield ServiceQuarter(
            service=name,
            configured=True,
            tier=tier,
            runbook=runbook,
            datasets=tuple(d[0] for d in DATASETS if name in d[3]),
            rto=rto,
            rpo=rpo,
            mtpd=8 * rto,
            drilled=len(own),
            passed=sum(d.outcome == "passed" for d in own),
            failed=sum(d.outcome == "failed" for d in own),
            aborted=0,
            measured_rto=trend[-1].rto if trend else Range(rto),
            measured_rpo=trend[-1].rpo if trend else Range(rpo),
            last_drill_at=own[-1].started_at if own else None,
            trend=trend,
        )
