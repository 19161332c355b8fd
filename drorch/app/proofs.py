"""How far each copy is proven by scrubbing, for `status`: from the journal alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from drorch.app.alarm import alarm
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.facts import Known, Proven, Scrubbed
from drorch.core.model import Dataset
from drorch.core.schedules import promised_age
from drorch.core.scrubbing import Standing, overdue_since, standing
from drorch.core.values import Value

#: How many damaged objects an alarm names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Proofs:
    """What was proven of a dataset in one region, and what was promised."""

    dataset: str
    region: str
    found: Standing
    scrubbed: Scrubbed | None
    promised: timedelta | None
    damaged: tuple[str, ...]
    damaged_at: datetime | None

    def document(self, now: datetime) -> dict[str, Value]:
        """What `status --json` says of it."""
        oldest = self.found.oldest
        return {
            "scrubbed_at": rfc3339(oldest) if oldest else None,
            "scrubbed_age_s": round((now - oldest).total_seconds(), 3) if oldest else None,
            "scrubbed_share": round(self.found.share, 4),
            "damaged": len(self.damaged),
        }

    def alarms(self, since: datetime | None, now: datetime) -> Iterator[dict[str, Value]]:
        """What is wrong; `since` is the time of the oldest snapshot that the region holds."""
        if self.damaged:
            yield self._damage()
        if self.promised is not None and since is not None:
            due = overdue_since(self.found, self.scrubbed, self.promised, since)
            if now > due:
                yield self._overdue(due)

    def _damage(self) -> dict[str, Value]:
        named = ", ".join(self.damaged[:_NAMED])
        more = len(self.damaged) - _NAMED
        also = f" (and {more} more)" if more > 0 else ""
        return alarm(
            AlarmWord.OBJECT_DAMAGED,
            f"{self.dataset} in {self.region}",
            self.damaged_at,
            f"{self.region} holds damaged objects of {self.dataset}, or has lost them: "
            f"{named}{also}",
            f"mend them from the other regions: drorch heal --dataset {self.dataset}",
        )

    def _overdue(self, due: datetime) -> dict[str, Value]:
        promise = format_duration(self.promised or timedelta())
        proven = f"{self.found.share:.0%} of it is proven"
        return alarm(
            AlarmWord.SCRUB_OVERDUE,
            f"{self.dataset} in {self.region}",
            due,
            f"not all of {self.dataset} in {self.region} was hashed within {promise} "
            f"as promised; {proven}",
            f"do it now: drorch scrub --dataset {self.dataset} --region {self.region} --budget all",
        )


def proofs_of(seen: Seen, dataset: Dataset) -> dict[str, Proofs]:
    """How far the dataset is proven, by region."""
    proven = seen.proven(dataset.name)
    scrubbed = {k.fact.region: k.fact for k in seen.facts(Scrubbed, dataset.name)}
    promised = promised_age(dataset.verify.scrub) if dataset.verify.scrub else None
    found = {}
    for region in dataset.regions:
        known = [k for k in proven if k.fact.region == region]
        there = standing([k.fact for k in known], promised, seen.now) if known else _UNPROVEN
        damaged = _lasting(seen, dataset, region, there.damaged)
        found[region] = Proofs(
            dataset.name,
            region,
            there,
            scrubbed.get(region),
            promised,
            damaged,
            _found_at(known, damaged),
        )
    return found


_UNPROVEN = Standing(None, 0.0)


def _lasting(seen: Seen, dataset: Dataset, region: str, damaged: Sequence[str]) -> tuple[str, ...]:
    """Without snapshots that nobody wants any more: they were forgotten since they were missed."""
    if not any(name.startswith("snapshots/") for name in damaged):
        return tuple(damaged)
    copies = seen.program.journal.copies(dataset.name)
    held = {f"snapshots/{c.snapshot}" for c in copies if c.region == region and not c.owed}
    return tuple(n for n in damaged if not n.startswith("snapshots/") or n in held)


def _found_at(known: Sequence[Known[Proven]], damaged: Sequence[str]) -> datetime | None:
    """When the first of the damage was found that stands."""
    return min((k.recorded_at for k in known if set(k.fact.damaged) & set(damaged)), default=None)
