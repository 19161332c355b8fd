"""Alarms that say somebody else may have been at work: what the journal holds of strange objects."""

from collections.abc import Iterator

from drorch.app.alarm import alarm
from drorch.app.program import Program
from drorch.core.facts import Quarantined
from drorch.core.model import Dataset
from drorch.core.values import Value


def suspicions(program: Program, dataset: Dataset) -> Iterator[dict[str, Value]]:
    """One alarm for each region in which objects lie that are not ours."""
    found = [k for k in program.journal.facts(Quarantined, dataset.name) if not k.fact.gone]
    for region in dict.fromkeys(k.fact.region for k in found):
        strange = [k for k in found if k.fact.region == region]
        first = strange[0].fact
        more = f", and {len(strange) - 1} more" if len(strange) > 1 else ""
        yield alarm(
            "object.quarantined",
            f"{dataset.name} in {region}",
            min(k.recorded_at for k in strange),
            f"{region} holds what is not ours: {first.name} ({first.why}){more}; it is copied "
            "nowhere",
            "find out who else can write there and change the region's access key; keep the "
            "object as evidence elsewhere, then delete it there",
        )
