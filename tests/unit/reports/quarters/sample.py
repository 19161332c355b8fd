"""Two invented quarters of a hospital as documents: one with everything, one without any drill.

`python -m tests.unit.reports.quarters.sample` writes them beside; a test holds them equal.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from drorch.core.controls import controls_of
from drorch.core.documenting import document_of
from drorch.core.quarter import Quarter
from drorch.core.quarter_datasets import CopyQuarter, DatasetQuarter, Missed, Standing, Work
from drorch.core.quarter_document import (
    FORMAT,
    Headline,
    Notice,
    PromiseQuarter,
    QuarterDocument,
    Signing,
    Totals,
    Verifying,
)
from drorch.core.quarter_drills import (
    Coverage,
    DrillQuarter,
    DrillSchedule,
    Range,
    Reached,
    RunbookQuarter,
    ServiceQuarter,
    TierCoverage,
    Trend,
)
from drorch.core.quarter_loss import LossDrill, LossTrend, OwnRecords
from drorch.core.quarter_records import (
    ActionQuarter,
    CopyPlace,
    Destruction,
    FindingQuarter,
    RestoreQuarter,
    TargetPlace,
)

FOLDER = Path(__file__).parent
ZONE = ZoneInfo("America/Toronto")
QUARTER = Quarter(2026, 4)
BEGIN, END = QUARTER.begin(ZONE), QUARTER.end(ZONE)
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)

#: Dataset, tier, site, services, RPO, schedule, regions by role.
DATASETS = (
    ("ehr-documents", 1, "montreal", ("ehr",), HOUR / 2, "*/15 * * * *", "mqt"),
    ("ehr-db", 1, "montreal", ("ehr",), HOUR / 2, "every 15m", "mq"),
    ("ehr-audit", 1, "montreal", ("ehr",), HOUR, "every 30m", "mq"),
    ("pacs-images", 2, "montreal", ("imaging",), 4 * HOUR, "every 2h", "mqt"),
    ("pacs-db", 2, "montreal", ("imaging",), HOUR, "every 30m", "mq"),
    ("lab-results", 2, "quebec", ("laboratory",), HOUR, "hourly", "qm"),
    ("lab-instruments", 2, "quebec", ("laboratory",), 24 * HOUR, "daily at 02:00", "qm"),
    ("pharmacy-db", 2, "montreal", ("ehr", "laboratory"), HOUR, "every 30m", "mq"),
    ("intranet", 3, "montreal", ("office",), 24 * HOUR, "daily at 02:00", "mq"),
    ("mail-archive", 3, "montreal", ("office",), 24 * HOUR, "daily at 01:00", "mt"),
    ("research-images", 3, "quebec", (), 7 * DAY, "weekly on sun at 03:00", "qt"),
    ("old-fileserver", 3, "quebec", (), None, "", "q"),
)
REGIONS = {"m": ("mtl", "CA-QC"), "q": ("qc", "CA-QC"), "t": ("tor", "CA-ON")}
DAYS = tuple(QUARTER.days())


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A local moment of 2026, in UTC."""
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


def _copies(n: int) -> Iterator[CopyQuarter]:
    name, _, _, _, rpo, _, regions = DATASETS[n]
    random = Random(n)
    usual = rpo or 24 * HOUR
    for m, letter in enumerate(regions):
        region, jurisdiction = REGIONS[letter]
        days: list[timedelta | None] = [
            timedelta(seconds=round(usual.total_seconds() * random.uniform(0.45, 0.9)))
            for _ in DAYS
        ]
        if region == "tor":  # dead for three days in November
            for day, worst in ((36, 26 * HOUR), (37, 50 * HOUR), (38, 61 * HOUR)):
                days[day] = worst
        if name == "pacs-db":
            days[62] = 5 * HOUR
        if name == "research-images":  # it entered in the middle
            days[:45] = [None] * 45
        if name == "old-fileserver":  # it left
            days[20:] = [timedelta(days=n) for n in range(1, len(DAYS) - 19)]
        known = {n: d for n, d in enumerate(days) if d is not None}
        on = max(known, key=lambda one: known[one])
        over = rpo is not None and known[on] > rpo
        yield CopyQuarter(
            region=region,
            role="left" if name == "old-fileserver" else ("mirror" if m else "primary"),
            jurisdiction=jurisdiction,
            rpo=rpo,
            rpo_met=None if rpo is None else not over,
            worst_age=known[on],
            worst_at=at(10, 1, 23) + on * DAY,
            over_rpo=(known[on] - rpo) if over and rpo else timedelta(),
            without=timedelta(),
            days=tuple(days),
            first_at=at(11, 15, 3) if name == "research-images" else at(7, 1, 0, 15),
            newest_at=END - usual / 2,
            age=usual / 2,
            owed=name == "mail-archive" and region == "tor",
            owed_since=END - 5 * HOUR if name == "mail-archive" and region == "tor" else None,
            verified_at=at(12, 27, 5),
            restore_tested_at=None if n in (9, 10, 11) or m else at(12, 27, 6),
        )


def _datasets() -> Iterator[DatasetQuarter]:
    for n, (name, tier, site, services, rpo, schedule, _) in enumerate(DATASETS):
        due = {"*/15 * * * *": 8836, "every 15m": 8836, "every 30m": 4418, "every 2h": 1105}.get(
            schedule, {"hourly": 2209, "": 38, "weekly on sun at 03:00": 7}.get(schedule, 92)
        )
        missed, failed = due // 400, due // 800 + (n == 4)
        late = due // 300
        why = (
            Missed("no daemon was running", missed - missed // 3),
            Missed("the run before was under way", missed // 3),
        )
        weekly = name not in ("research-images", "old-fileserver")
        yield DatasetQuarter(
            dataset=name,
            standing={"research-images": Standing.ENTERED, "old-fileserver": Standing.LEFT}.get(
                name, Standing.STAYED
            ),
            configured=name != "old-fileserver",
            tier=None if name == "old-fileserver" else tier,
            site=None if name == "old-fileserver" else site,
            services=services,
            rpo=rpo,
            residency=() if name == "old-fileserver" else ("CA-QC",),
            first_at=at(11, 15, 3) if name == "research-images" else at(7, 1),
            last_at=at(10, 21, 2) if name == "old-fileserver" else END - HOUR / 4,
            backups=Work(
                schedule,
                due,
                due - late - missed,
                late,
                missed,
                due - missed - failed,
                failed,
                by_hand=n % 3,
                last_at=at(10, 21, 2) if name == "old-fileserver" else END - HOUR / 4,
                missed_why=tuple(one for one in why if one.count),
            ),
            checks=Work("weekly", 13, 13, done=13, last_at=at(12, 27, 5)) if weekly else Work(),
            scrubs=Work("30d", 92, 91, 1, done=92, last_at=at(12, 31, 1)) if weekly else Work(),
            restore_tests=(
                Work("weekly", 13, 12, 0, 1, 11, 1, 0, 1, 0, at(12, 27, 6), why[:1])
                if n == 4
                else Work("weekly", 13, 13, done=13, last_at=at(12, 27, 6))
                if n < 9
                else Work()
            ),
            copies=tuple(_copies(n)),
        )


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


def _drills() -> tuple[DrillQuarter, ...]:
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


def _services(drills: tuple[DrillQuarter, ...]) -> Iterator[ServiceQuarter]:
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


def _places() -> Iterator[CopyPlace]:
    for name, _, _, _, _, _, regions in DATASETS:
        there = name != "old-fileserver"
        for m, letter in enumerate(regions):
            region, jurisdiction = REGIONS[letter]
            outside = jurisdiction != "CA-QC"
            papered = outside and name != "mail-archive"
            yield CopyPlace(
                dataset=name,
                region=region,
                role=("mirror" if m else "primary") if there else "left",
                configured=there,
                holds=True,
                jurisdiction=jurisdiction,
                residency=("CA-QC",) if there else (),
                inside=not outside if there else None,
                assessment="EFVP-2026-014" if papered else None,
                agreement="C-2026-031" if papered else None,
                papered=papered,
                key=("tor-key" if outside else "repo-key") if there else None,
                key_lies="file: /etc/drorch/secrets/repo-key" if there else None,
                lock="compliance" if letter == "q" else None,
                lock_keep=30 * DAY if letter == "q" else None,
                locked_until=END + 24 * DAY if letter == "q" else None,
            )


def _targets(drills: tuple[DrillQuarter, ...]) -> Iterator[TargetPlace]:
    for drill in drills:
        for dataset in drill.datasets[:2]:
            named = drill.service != "imaging"
            yield TargetPlace(
                run=drill.run,
                kind=drill.kind,
                dataset=dataset,
                host="dr-qc-1.hospital.example",
                to=f"/var/lib/drorch/drill/{dataset}",
                site="quebec" if named else None,
                jurisdiction="CA-QC" if named else None,
                residency=("CA-QC",),
                inside=True if named else None,
                assessment=None,
                agreement=None,
            )


def _restores(drills: tuple[DrillQuarter, ...]) -> Iterator[RestoreQuarter]:
    for drill in drills:
        for dataset in drill.datasets[:2]:
            left = drill.dirty
            yield RestoreQuarter(
                run=drill.run,
                step=f"restore-{dataset}",
                kind="drill",
                trigger=drill.trigger,
                by=drill.by,
                purpose="",
                dataset=dataset,
                snapshot="9a" * 32,
                snapshot_at=drill.started_at - 11 * MINUTE,
                region="qc",
                jurisdiction="CA-QC",
                at=drill.started_at + MINUTE,
                host="dr-qc-1.hospital.example",
                to=f"/var/lib/drorch/drill/{dataset}",
                files=2000,
                bytes=829_422_000,
                verdict="pass",
                state=Destruction.LEFT if left else Destruction.DESTROYED,
                destroyed_by="remove-restored",
                destroyed_at=None if left else drill.finished_at,
            )
    for n in range(13 * 3):
        began = at(10, 4, 5) + (n // 3) * 7 * DAY + n % 3 * HOUR
        dataset = DATASETS[n % 3][0]
        yield RestoreQuarter(
            run=f"{began:%Y-%m-%dT%H-%M-%SZ}-{dataset}-{n:04x}",
            step="restore",
            kind="restore-test",
            trigger="schedule",
            by="drorch",
            purpose="restore test",
            dataset=dataset,
            snapshot=f"{n:02x}" * 32,
            snapshot_at=began - 9 * MINUTE,
            region="mtl" if n % 2 else "qc",
            jurisdiction="CA-QC",
            at=began,
            host="backup-1.hospital.example",
            to=f"/var/lib/drorch/restore-test/{dataset}",
            files=2000 + n,
            bytes=800_000_000 + n,
            verdict="fail" if n == 7 else "pass",
            state=Destruction.NOTHING if n == 7 else Destruction.DESTROYED,
            destroyed_by=None if n == 7 else "remove",
            destroyed_at=None if n == 7 else began + 6 * MINUTE,
        )
    yield RestoreQuarter(
        run="2026-11-18T15-12-44Z-mail-archive-77aa",
        step="restore",
        kind="restore",
        trigger="operator",
        by="jroy",
        purpose="request 2026-118: a mailbox deleted by mistake",
        dataset="mail-archive",
        snapshot="5b" * 32,
        snapshot_at=at(11, 18, 1),
        region="mtl",
        jurisdiction="CA-QC",
        at=at(11, 18, 10, 12),
        host="backup-1.hospital.example",
        to="/srv/restore/request-118",
        files=312,
        bytes=44_120_300,
        verdict="pass",
        state=Destruction.KEPT,
        destroyed_by=None,
        destroyed_at=None,
    )


def _finding(id_: str, what: str, subject: str, message: str, hint: str, found: datetime, **more: str | bool) -> FindingQuarter:  # fmt: skip
    run = id_.rpartition("/")[0] if id_.startswith("2026-") else None
    usual = FindingQuarter(
        id_, run, what, subject, message, hint, None, None, found, END - found, None, closed=False
    )
    return replace(usual, **more)  # type: ignore[arg-type] # fields by name


def _findings() -> Iterator[FindingQuarter]:
    yield _finding(f"{LAB_FAILED}/1", "step.failed", "start-laboratory", "start-laboratory failed: the service did not answer on port 18080 within 60s", "see its log: drorch run show", at(10, 1, 4, 50), service="laboratory", action="A4", closed=True)  # fmt: skip
    yield _finding(f"{LAB_FAILED}/2", "run.dirty", "lab-failover", "cleanup did not finish; what these were to remove may still be there: remove-restored", "remove it by hand, then look again", at(10, 1, 5, 2), service="laboratory", action="A5")  # fmt: skip
    yield _finding(f"{IMAGING}/1", "objective.missed", "rpo", "the RPO of 1h was missed: it came to 1h 35m", "back up more often, or find out why the newest snapshot was not in this region", at(10, 1, 6, 40), service="imaging")  # fmt: skip
    yield _finding(f"{EHR_LATE}/1", "objective.missed", "rto", "the RTO of 1h was missed: it came to 1h 11m", "the critical path names the steps to shorten; otherwise promise what can be kept", at(12, 10, 15, 50), service="ehr", action="A6")  # fmt: skip
    yield _finding("2026Q4/copy.outside/mail-archive in tor", "copy.outside", "mail-archive in tor", "tor (CA-ON) holds snapshots of mail-archive, which may lie in CA-QC only; no assessment and agreement are named", "name the papers under `transfer:`, or have the copy deleted there", BEGIN, dataset="mail-archive")  # fmt: skip
    yield _finding("2026Q4/service.never-drilled/office", "service.never-drilled", "office", "office has no runbook: it was never drilled", "write a runbook for it, practise it, and have the daemon repeat it under `drills:`", BEGIN, service="office", action="A3")  # fmt: skip
    yield _finding("2026Q4/rpo.breached/pacs-db in mtl", "rpo.breached", "pacs-db in mtl", "the newest snapshot of pacs-db in mtl became 5h old; promised are 1h", "see why its backups were missed or failed, or its copies owed", at(12, 2, 23), dataset="pacs-db")  # fmt: skip


def _actions() -> Iterator[ActionQuarter]:
    def action(id_: str, title: str, owner: str, due: date | None, opened: datetime, **more: object) -> ActionQuarter:  # fmt: skip
        usual = ActionQuarter(
            id_,
            title,
            owner,
            due,
            "open",
            None,
            opened,
            "mgagnon",
            None,
            None,
            None,
            None,
            carried_over=opened < BEGIN,
            overdue=due is not None and due < date(2026, 12, 31),
        )
        return replace(usual, **more)  # type: ignore[arg-type] # fields by name

    yield action(
        "A2", "Second person for the PACS failover", "M. Gagnon", date(2026, 11, 30), at(8, 3)
    )
    yield action("A3", "Write a runbook for office", "J. Roy", date(2027, 2, 28), at(9, 12))
    yield action("A4", "Port of the laboratory's service is taken after a restart", "N. Tremblay", date(2026, 10, 31), at(10, 2), status="closed", finding=f"{LAB_FAILED}/1", closed_at=at(10, 20, 14), closed_by="ntremblay", why="proven by another drill", closed_by_run=LAB, overdue=False)  # fmt: skip
    yield action("A5", "Remove what the drill of 1 October left", "N. Tremblay", None, at(10, 2), finding=f"{LAB_FAILED}/2")  # fmt: skip
    yield action("A6", "Restore the documents side by side with the database", "M. Gagnon", date(2027, 1, 31), at(12, 11), finding=f"{EHR_LATE}/1")  # fmt: skip


def _promises() -> Iterator[PromiseQuarter]:
    for dataset in _datasets():
        for copy in dataset.copies:
            if copy.rpo is not None:
                yield PromiseQuarter(
                    "rpo",
                    f"{dataset.dataset} in {copy.region}",
                    f"{copy.rpo.total_seconds():.0f}s",
                    f"{copy.worst_age.total_seconds():.0f}s" if copy.worst_age else "",
                    copy.rpo_met,
                    "",
                )
        work = dataset.backups
        if work.promised:
            met = not work.missed and not work.failed
            yield PromiseQuarter(
                "backup", dataset.dataset, work.promised, f"{work.done}/{work.due}", met, ""
            )
    for drill in _drills():
        yield PromiseQuarter(
            "rto",
            drill.service,
            f"{drill.rto.target.total_seconds():g}s",
            f"{drill.rto.actual.total_seconds():g}s" if drill.rto.actual else "",
            drill.rto.met,
            "",
            (drill.run,),
        )
    yield PromiseQuarter(
        "residency",
        "mail-archive in tor",
        "CA-QC",
        "CA-ON",
        kept=False,
        why="no assessment is named",
    )
    yield from _unproven("office", 3 * DAY, 24 * HOUR, "it was never drilled")


def _unproven(service: str, rto: timedelta, rpo: timedelta, why: str) -> Iterator[PromiseQuarter]:
    for promise, target in (("rto", rto), ("drill-rpo", rpo)):
        yield PromiseQuarter(
            promise, service, f"{target.total_seconds():g}s", "", kept=None, why=why
        )


def hospital() -> QuarterDocument:
    """The quarter with everything."""
    drills, datasets, promises = _drills(), tuple(_datasets()), tuple(_promises())
    findings, actions, restores = tuple(_findings()), tuple(_actions()), tuple(_restores(drills))
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
        services=tuple(_services(drills)),
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
        residency=tuple(_places()),
        targets=tuple(_targets(drills)),
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
        *_unproven("ehr", HOUR, HOUR / 2, "it was not drilled"),
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
