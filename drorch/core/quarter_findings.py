"""The findings that a quarter adds up to, beside those of its runs. Pure.

Each has the id QUARTER/WORD/SUBJECT: made again, the report gives it the same one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from drorch.core.durations import format_duration
from drorch.core.quarter_datasets import CopyQuarter, DatasetQuarter
from drorch.core.quarter_drills import Coverage, RunbookQuarter, ServiceQuarter
from drorch.core.quarter_judging import works_of
from drorch.core.quarter_loss import OwnRecords
from drorch.core.quarter_records import CopyPlace, FindingQuarter

_ID = re.compile(r"(\d{4}Q[1-4])/([a-z.-]+/.*)", re.DOTALL)


def of_quarter(finding: str) -> tuple[str, str] | None:
    """Quarter, and WORD/SUBJECT, which is the same from one quarter to the next; None: a run's finding."""
    found = _ID.fullmatch(finding)
    return (found[1], found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Findings:
    """Finds in the parts of a quarter's document what its reader must know."""

    quarter: str
    since: datetime
    until: datetime

    def of_places(self, places: Sequence[CopyPlace]) -> Iterator[FindingQuarter]:
        """Copies outside their residency for which no papers are named."""
        for place in places:
            if place.inside is False and not place.papered:
                holds = "holds" if place.holds else "is to hold"
                yield self._found(
                    "copy.outside",
                    f"{place.dataset} in {place.region}",
                    f"{place.region} ({place.jurisdiction}) {holds} snapshots of {place.dataset}, "
                    f"which may lie in {', '.join(place.residency)} only; no assessment and "
                    "agreement are named",
                    "name the papers under `transfer:`, or have the copy deleted there",
                    self.since,
                    dataset=place.dataset,
                )

    def of_datasets(
        self, datasets: Sequence[DatasetQuarter], coverage: Coverage
    ) -> Iterator[FindingQuarter]:
        """Copies that were older than promised, work that was not done, data that never came back."""
        for dataset in datasets:
            for copy in dataset.copies:
                if copy.rpo_met is False:
                    yield self._breached(dataset.dataset, copy)
            yield from self._undone(dataset)
            if dataset.configured and dataset.dataset in coverage.never_restored:
                yield self._found(
                    "dataset.never-restored",
                    dataset.dataset,
                    f"no snapshot of {dataset.dataset} was ever brought back",
                    f"try it: drorch drill restore-test --set dataset={dataset.dataset}",
                    dataset.first_at or self.since,
                    dataset=dataset.dataset,
                )

    def _breached(self, dataset: str, copy: CopyQuarter) -> FindingQuarter:
        if copy.worst_age is None:
            said = f"{copy.region} never held a snapshot of {dataset}"
        elif copy.without:
            lasting = format_duration(copy.without)
            said = f"{copy.region} held no snapshot of {dataset} for {lasting}"
        else:
            age = format_duration(copy.worst_age or timedelta())
            promised = format_duration(copy.rpo or timedelta())
            said = (
                f"the newest snapshot of {dataset} in {copy.region} became {age} old; "
                f"promised are {promised}"
            )
        return self._found(
            "rpo.breached",
            f"{dataset} in {copy.region}",
            said,
            "see why its backups were missed or failed, or its copies owed",
            copy.broken_at or copy.worst_at or self.until,
            dataset=dataset,
        )

    def _undone(self, dataset: DatasetQuarter) -> Iterator[FindingQuarter]:
        for word, work in works_of(dataset):
            if work.missed or work.failed:
                yield self._found(
                    f"{word}.not-done",
                    dataset.dataset,
                    f"of {work.due} due in the quarter {work.missed} were missed and "
                    f"{work.failed} failed",
                    "drorch schedule list tells of each slot, drorch run list of each run",
                    self.until,
                    dataset=dataset.dataset,
                )

    def of_coverage(
        self, coverage: Coverage, services: Sequence[ServiceQuarter]
    ) -> Iterator[FindingQuarter]:
        """Services that were not drilled, and runbooks that are not what was drilled any more."""
        last = {s.service: s.last_drill_at for s in services}
        for tier in coverage.tiers:
            for name in tier.no_runbook:
                yield self._undrilled(name, f"{name} has no runbook: it was never drilled")
            for name in tier.never:
                yield self._undrilled(name, f"{name} was never drilled")
            for name in tier.before:
                yield self._found(
                    "service.not-drilled",
                    name,
                    f"{name} was not drilled in the quarter",
                    "practise it, and have the daemon repeat it under `drills:`",
                    last.get(name) or self.since,
                    service=name,
                )
        yield from (self._changed(one) for one in coverage.runbooks if one.changed or one.gone)

    def of_own_records(self, records: OwnRecords) -> Iterator[FindingQuarter]:
        """That nobody knows whether drorch's own records would come back."""
        if any(one.telling for one in records.drills):
            return
        said = "no drill of the loss of drorch's own records is on record in the last nine quarters"
        if records.last is not None:
            said = "the loss of drorch's own records was not drilled in the quarter"
        yield self._found(
            "control-plane.not-drilled" if records.last else "control-plane.never-drilled",
            "control plane",
            said,
            "drill it: drorch drill control-plane-lost, and have the daemon repeat it under `drills:`",
            records.last.started_at if records.last else self.since,
        )

    def _undrilled(self, service: str, said: str) -> FindingQuarter:
        return self._found(
            "service.never-drilled",
            service,
            said,
            "write a runbook for it, practise it, and have the daemon repeat it under `drills:`",
            self.since,
            service=service,
        )

    def _changed(self, runbook: RunbookQuarter) -> FindingQuarter:
        what = ", ".join((*(runbook.changed or ()), *runbook.gone))
        return self._found(
            "runbook.changed",
            runbook.runbook,
            f"since the last drill of {runbook.runbook} that passed have changed: {what}",
            f"practise it: drorch drill {runbook.runbook}",
            runbook.passed_at or self.since,
            service=runbook.service,
        )

    def _found(
        self,
        what: str,
        subject: str,
        message: str,
        hint: str,
        at: datetime,
        *,
        dataset: str | None = None,
        service: str | None = None,
    ) -> FindingQuarter:
        return FindingQuarter(
            id=f"{self.quarter}/{what}/{subject}",
            run=None,
            what=what,
            subject=subject,
            message=message,
            hint=hint,
            dataset=dataset,
            service=service,
            found_at=at,
            age=max(self.until - at, timedelta()),
            action=None,
            closed=False,
        )
