"""Alarms of retention: what the brake has stopped, and what regions owe of deletions."""

from collections.abc import Iterator

from drorch.app.alarm import alarm
from drorch.app.lives import owner_lives
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord
from drorch.core.facts import Braked, Known, PruneOwed
from drorch.core.model import Dataset
from drorch.core.names import RunKind
from drorch.core.values import Value

_LOOKED_AT = (Braked, PruneOwed)


def alarms(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """What stands; nothing of what a run is doing at this moment."""
    left = any(seen.forgotten(dataset, region) for region in dataset.regions)
    if not left and not seen.anything(_LOOKED_AT, dataset.name):
        return
    for known in seen.facts(Braked, dataset.name):
        if not known.fact.lifted:
            yield alarm(
                AlarmWord.RETENTION_BRAKED,
                f"{dataset.name} in {known.fact.region}",
                known.recorded_at,
                f"retention of {dataset.name} deleted nothing: {known.fact.why}",
                f"see `drorch retention plan --dataset {dataset.name}`; if it is meant: drorch "
                f"retention apply --dataset {dataset.name} --force-brake REASON",
            )
    if not _under_way(seen, dataset):
        yield from _owed(seen, dataset)


def owing(seen: Seen, dataset: Dataset) -> dict[str, Known[PruneOwed]]:
    """By region, what is owed of a prune."""
    found = seen.facts(PruneOwed, dataset.name)
    return {k.fact.region: k for k in found if not k.fact.paid}


def _owed(seen: Seen, dataset: Dataset) -> Iterator[dict[str, Value]]:
    prunes = owing(seen, dataset)
    hint = f"it is done by: drorch retention apply --dataset {dataset.name}"
    for region in dataset.regions:
        subject = f"{dataset.name} in {region}"
        left = seen.forgotten(dataset, region)
        if region in prunes:
            owed = prunes[region]
            message = f"{region} still holds what was pruned from {dataset.name}: {owed.fact.why}"
            yield alarm(AlarmWord.PRUNE_OWED, subject, owed.recorded_at, message, hint)
        elif left:
            message = f"{region} still holds {len(left)} forgotten snapshot(s) of {dataset.name}"
            yield alarm(AlarmWord.PRUNE_OWED, subject, min(left), message, hint)


def _under_way(seen: Seen, dataset: Dataset) -> bool:
    return any(
        row.kind is RunKind.RETENTION and row.name == dataset.name and owner_lives(row)
        for row in seen.unfinished
    )
