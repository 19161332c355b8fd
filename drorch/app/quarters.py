"""Use case `report quarter`: what was promised in a quarter, what was measured, what was not tested.

From the journal, today's configuration and the runbooks alone: no region is asked.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from drorch import __version__
from drorch.app.corrective import corrective_actions
from drorch.app.program import Program
from drorch.app.quarter_datasets import datasets_of
from drorch.app.quarter_places import key_promises, places_of
from drorch.app.quarter_practice import coverage_of, schedules_of, services_of
from drorch.app.quarter_runs import Told, told_of
from drorch.app.quarter_seen import QuarterSeen
from drorch.core.controls import controls_of
from drorch.core.corrective import Corrective
from drorch.core.document import head_of
from drorch.core.documenting import document_of
from drorch.core.encoding import utf8
from drorch.core.errors import UsageError
from drorch.core.plane import plane_regions
from drorch.core.quarter import Quarter, ended_last
from drorch.core.quarter_controls import Framework
from drorch.core.quarter_datasets import DatasetQuarter, Standing
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
from drorch.core.quarter_drills import DrillSchedule, ServiceQuarter
from drorch.core.quarter_findings import Findings, of_quarter
from drorch.core.quarter_judging import promises_of, works_of
from drorch.core.quarter_loss import OwnRecords, own_records
from drorch.core.quarter_records import ActionQuarter, FindingQuarter
from drorch.core.quarter_work import total
from drorch.core.settings import EvidencePolicy
from drorch.journal.ledger import last_entry
from drorch.reports.quarter.forms import QuarterForm, render_quarter
from drorch.reports.tables import tables_of, zip_of


def chosen(program: Program, text: str | None, *, over: bool = False) -> Quarter:
    """The quarter asked for, or else the one that ended last.

    Raises UsageError for what is no quarter, one that has not begun, or one before the journal; and,
    where it is to be `over`, for the one that runs.
    """
    zone = ZoneInfo(program.configuration.timezone)
    now = program.clock.now().at
    last, running = ended_last(now, zone), Quarter.of(now, zone)
    try:
        wanted = last if text is None else Quarter.parse(text)
    except ValueError as error:
        raise UsageError(str(error), f"the quarter that ended last is {last}") from None
    if wanted > running:
        hint = f"the one that runs is {running}, the one that ended last {last}"
        raise UsageError(f"{wanted} has not begun", hint)
    begins = program.journal.whole.beginning()
    if begins is None:
        raise UsageError("the journal holds no run yet", "make one: drorch backup")
    if wanted < (first := Quarter.of(begins, zone)):
        said = f"the journal begins on {begins.astimezone(zone):%Y-%m-%d}, after {wanted}"
        raise UsageError(said, f"the first quarter that it tells of is {first}")
    if over:
        see_that_it_is_over(program, wanted)
    return wanted


def see_that_it_is_over(program: Program, quarter: Quarter) -> None:
    """UsageError for a quarter that still runs: what is sealed and sent does not change any more."""
    if program.clock.now().at < quarter.end(ZoneInfo(program.configuration.timezone)):
        raise UsageError(
            f"{quarter} is not over", f"see how it stands so far: drorch report quarter {quarter}"
        )


def quarter_values(program: Program, quarter: Quarter) -> QuarterDocument:
    """The whole report of a quarter that has begun, as values."""
    seen = QuarterSeen(program, quarter)
    told = told_of(seen)
    datasets, services = datasets_of(seen), services_of(seen, told)
    schedules, places = schedules_of(seen), list(places_of(seen))
    coverage = coverage_of(seen, told, services, datasets)
    promises = [
        *promises_of(datasets, told.drills, schedules, services, places, told.restores),
        *key_promises(seen),
    ]
    actions = list(_actions(seen))
    records = _own_records(seen, told)
    find = Findings(str(quarter), seen.since, seen.until)
    findings = _with_actions(
        [
            *find.of_places(places),
            *find.of_datasets(datasets, coverage),
            *find.of_coverage(coverage, services),
            *find.of_own_records(records),
            *told.findings,
        ],
        actions,
    )
    bare = QuarterDocument(
        format=FORMAT,
        quarter=str(quarter),
        organization=program.configuration.organization,
        timezone=program.configuration.timezone,
        from_=seen.since,
        to=seen.end,
        until=seen.until,
        over=seen.over,
        made_at=seen.now,
        version=__version__,
        journal_begins=seen.begins,
        headline=_headline(told, promises),
        notices=tuple(_notices(seen, datasets)),
        totals=_totals(seen, told, datasets, services, schedules, findings, actions),
        promises=tuple(promises),
        services=tuple(services),
        days=tuple(quarter.days()),
        datasets=tuple(datasets),
        drill_schedules=tuple(schedules),
        drills=tuple(told.drills),
        coverage=coverage,
        own_records=records,
        findings=tuple(findings),
        actions=tuple(actions),
        residency=tuple(places),
        targets=tuple(told.targets),
        restores=tuple(told.restores),
        controls=(),
        retention_until=_retained(seen, program.configuration.evidence),
        verifying=_verifying(program),
        sign_off=_sign_off(program),
    )
    frameworks = program.configuration.reports.controls or tuple(Framework)
    return replace(bare, controls=controls_of(bare, frameworks))


def quarter_report(
    program: Program, quarter: Quarter, form: str, language: str | None = None
) -> bytes:
    """The report in a language (else the configuration's); see `quarter_file`."""
    document = document_of(quarter_values(program, quarter))
    return quarter_file(document, form, language or program.configuration.language)


def quarter_file(document: Mapping[str, Any], form: str, language: str) -> bytes:
    """A quarter's document as `html`, `pdf` or `md` in a language, as `json` or, its tables in a zip,
    as `csv`.
    """
    if form in tuple(QuarterForm):
        return render_quarter(document, form, language)
    if form == "csv":
        return zip_of(tables_of(document))
    return utf8(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def _own_records(seen: QuarterSeen, told: Told) -> OwnRecords:
    regions = [region.name for region in plane_regions(seen.program.configuration)]
    return own_records(told.losses, seen.quarter, seen.zone, regions)


def _sign_off(program: Program) -> tuple[Signing, ...]:
    return tuple(Signing(one.name, one.role) for one in program.configuration.reports.sign_off)


def _headline(told: Told, promises: Sequence[PromiseQuarter]) -> Headline:
    ended = [drill for drill in told.drills if drill.outcome is not None]
    return Headline(
        no_drill=not ended,
        drills=len(ended),
        drills_passed=sum(drill.outcome == "passed" for drill in ended),
        promises=len(promises),
        promises_kept=sum(one.kept is True for one in promises),
        promises_broken=sum(one.kept is False for one in promises),
        promises_unjudged=sum(one.kept is None for one in promises),
    )


def _totals(
    seen: QuarterSeen,
    told: Told,
    datasets: Sequence[DatasetQuarter],
    services: Sequence[ServiceQuarter],
    schedules: Sequence[DrillSchedule],
    findings: Sequence[FindingQuarter],
    actions: Sequence[ActionQuarter],
) -> Totals:
    outcomes = [drill.outcome for drill in told.drills]
    return Totals(
        datasets=len(datasets),
        services=len(services),
        runs=sum(one.count for one in seen.runs),
        backups=total(one.backups for one in datasets),
        checks=total(one.checks for one in datasets),
        scrubs=total(one.scrubs for one in datasets),
        restore_tests=total(one.restore_tests for one in datasets),
        drills=total(one.drills for one in schedules),
        drills_passed=outcomes.count("passed"),
        drills_failed=outcomes.count("failed"),
        drills_aborted=outcomes.count("aborted"),
        restores=len(told.restores),
        findings=len(findings),
        actions_open=sum(one.status == "open" for one in actions),
        actions_overdue=sum(one.overdue for one in actions),
        actions_closed=sum(one.status == "closed" for one in actions),
    )


def _notices(seen: QuarterSeen, datasets: Sequence[DatasetQuarter]) -> Iterator[Notice]:
    if not seen.over:
        yield Notice("quarter.running", "", "the quarter is not over: figures reach up to now")
    if seen.begins is not None and seen.begins > seen.since:
        yield Notice(
            "journal.begins",
            f"{seen.begins.astimezone(seen.zone):%Y-%m-%d}",
            "the journal begins in the quarter: of the time before it nothing is known",
        )
    if seen.unaccounted is not None:
        since, count = seen.unaccounted
        yield Notice(
            "slots.unaccounted",
            f"{since.astimezone(seen.zone):%Y-%m-%d %H:%M}",
            f"{count} slots of scheduled work since then are accounted for by no daemon: no figure has them",
        )
    for dataset in datasets:
        if dataset.standing in (Standing.ENTERED, Standing.CAME_AND_WENT):
            said = f"{dataset.dataset} was backed up for the first time in the quarter"
            if dataset.first_at is None:
                said = f"{dataset.dataset} was never backed up"
            yield Notice("dataset.entered", dataset.dataset, said)
        if not dataset.configured:
            said = f"{dataset.dataset} is not in the configuration any more; its last backup's promise is held"
            yield Notice("dataset.left", dataset.dataset, said)
        if any(work.estimated for _, work in works_of(dataset)):
            said = (
                f"missed slots of {dataset.dataset} over the quarter's border were divided evenly"
            )
            yield Notice("slots.estimated", dataset.dataset, said)
    if seen.program.configuration.evidence.key is None:
        yield Notice("sealing.off", "", "nothing is sealed: the configuration names no key for it")


def _actions(seen: QuarterSeen) -> Iterator[ActionQuarter]:
    """Those that were open when the quarter began, or were opened in it, as they stood at its end."""
    for action in corrective_actions(seen.program):
        then = action.as_of(seen.last_day)
        if then is None or (then.closed_at is not None and then.closed_at < seen.since):
            continue
        yield _action(seen, then)


def _action(seen: QuarterSeen, then: Corrective) -> ActionQuarter:
    return ActionQuarter(
        id=then.id,
        title=then.title,
        owner=then.owner,
        due=date.fromisoformat(then.due) if then.due else None,
        status=then.status,
        finding=then.finding or None,
        opened_at=then.opened_at,
        opened_by=then.opened_by,
        closed_at=then.closed_at,
        closed_by=then.closed_by or None,
        why=then.why or None,
        closed_by_run=then.closed_by_run or None,
        carried_over=then.opened_at < seen.since,
        overdue=bool(then.due) and then.overdue(seen.last_day.astimezone(seen.zone).date()),
    )


def _with_actions(
    findings: Sequence[FindingQuarter], actions: Sequence[ActionQuarter]
) -> list[FindingQuarter]:
    """Each finding with the newest action that names it, an open one before others. What a quarter
    adds up to is taken up, too, by an open action that names the same of an earlier quarter.
    """
    by_age = sorted(actions, key=lambda action: action.status == "open")
    known = {action.finding: action for action in by_age if action.finding}
    lasting = {
        same[1]: action
        for action in by_age
        if action.status == "open" and (same := of_quarter(action.finding or ""))
    }
    return [_taken_up(one, known, lasting) for one in findings]


def _taken_up(
    finding: FindingQuarter,
    known: Mapping[str, ActionQuarter],
    lasting: Mapping[str, ActionQuarter],
) -> FindingQuarter:
    same = of_quarter(finding.id)
    action = known.get(finding.id) or (lasting.get(same[1]) if same else None)
    if action is None:
        return finding
    return replace(finding, action=action.id, closed=action.status == "closed")


def _retained(seen: QuarterSeen, evidence: EvidencePolicy) -> date:
    """The local day through which the report is to be kept, counted from when it is made."""
    return evidence.until(max(seen.end, seen.now)).astimezone(seen.zone).date()


def _verifying(program: Program) -> Verifying:
    last = last_entry(program.journal)
    sealed = program.configuration.evidence.key is not None
    return Verifying(
        ledger_head=head_of(last.hash) if last else "",
        ledger_entries=last.n if last else 0,
        command="drorch journal verify",
        sealed=sealed,
        why_not="" if sealed else "the configuration names no key under `evidence:`",
    )
