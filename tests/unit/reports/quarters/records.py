"""What its quarter left on record: findings, corrective actions, promises."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from drorch.core.quarter_document import PromiseQuarter
from drorch.core.quarter_records import ActionQuarter, FindingQuarter
from tests.unit.reports.quarters.datasets import all_datasets
from tests.unit.reports.quarters.drills import EHR_LATE, IMAGING, LAB, LAB_FAILED, all_drills
from tests.unit.reports.quarters.moments import BEGIN, DAY, END, HOUR, at


def _finding(id_: str, what: str, subject: str, message: str, hint: str, found: datetime, **more: str | bool) -> FindingQuarter:  # fmt: skip
    run = id_.rpartition("/")[0] if id_.startswith("2026-") else None
    usual = FindingQuarter(
        id_, run, what, subject, message, hint, None, None, found, END - found, None, closed=False
    )
    return replace(usual, **more)  # type: ignore[arg-type] # fields by name


def all_findings() -> Iterator[FindingQuarter]:
    yield _finding(f"{LAB_FAILED}/1", "step.failed", "start-laboratory", "start-laboratory failed: the service did not answer on port 18080 within 60s", "see its log: drorch run show", at(10, 1, 4, 50), service="laboratory", action="A4", closed=True)  # fmt: skip
    yield _finding(f"{LAB_FAILED}/2", "run.dirty", "lab-failover", "cleanup did not finish; what these were to remove may still be there: remove-restored", "remove it by hand, then look again", at(10, 1, 5, 2), service="laboratory", action="A5")  # fmt: skip
    yield _finding(f"{IMAGING}/1", "objective.missed", "rpo", "the RPO of 1h was missed: it came to 1h 35m", "back up more often, or find out why the newest snapshot was not in this region", at(10, 1, 6, 40), service="imaging")  # fmt: skip
    yield _finding(f"{EHR_LATE}/1", "objective.missed", "rto", "the RTO of 1h was missed: it came to 1h 11m", "the critical path names the steps to shorten; otherwise promise what can be kept", at(12, 10, 15, 50), service="ehr", action="A6")  # fmt: skip
    yield _finding("2026Q4/copy.outside/mail-archive in tor", "copy.outside", "mail-archive in tor", "tor (CA-ON) holds snapshots of mail-archive, which may lie in CA-QC only; no assessment and agreement are named", "name the papers under `transfer:`, or have the copy deleted there", BEGIN, dataset="mail-archive")  # fmt: skip
    yield _finding("2026Q4/service.never-drilled/office", "service.never-drilled", "office", "office has no runbook: it was never drilled", "write a runbook for it, practise it, and have the daemon repeat it under `drills:`", BEGIN, service="office", action="A3")  # fmt: skip
    yield _finding("2026Q4/rpo.breached/pacs-db in mtl", "rpo.breached", "pacs-db in mtl", "the newest snapshot of pacs-db in mtl became 5h old; promised are 1h", "see why its backups were missed or failed, or its copies owed", at(12, 2, 23), dataset="pacs-db")  # fmt: skip


def all_actions() -> Iterator[ActionQuarter]:
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


def all_promises() -> Iterator[PromiseQuarter]:
    for dataset in all_datasets():
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
    for drill in all_drills():
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
    yield from unproven("office", 3 * DAY, 24 * HOUR, "it was never drilled")


def unproven(service: str, rto: timedelta, rpo: timedelta, why: str) -> Iterator[PromiseQuarter]:
    for promise, target in (("rto", rto), ("drill-rpo", rpo)):
        yield PromiseQuarter(
            promise, service, f"{target.total_seconds():g}s", "", kept=None, why=why
        )
