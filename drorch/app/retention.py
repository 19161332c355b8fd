"""Use cases of retention: say what would go and why each snapshot stays, and let it go."""

from collections.abc import Sequence
from datetime import datetime

from drorch.actions.retention import prune_due, verdict_document
from drorch.actions.verdicts import verdicts
from drorch.app.backups import Carried, Watchers, carry_plans, nobody
from drorch.app.program import Program
from drorch.app.runs import Control
from drorch.core.document import rfc3339
from drorch.core.errors import UsageError
from drorch.core.model import Dataset
from drorch.core.retaining import compile_retention
from drorch.core.values import Value
from drorch.restic.policy import forget_flags


def foreseen(program: Program, datasets: Sequence[Dataset]) -> list[dict[str, Value]]:
    """What `retention apply` would do now, by dataset and repository; nothing is changed."""
    now = program.clock.now().at
    return [_foreseen(program, dataset, now) for dataset in datasets]


def _foreseen(program: Program, dataset: Dataset, now: datetime) -> dict[str, Value]:
    return {
        "dataset": dataset.name,
        "at": rfc3339(now),
        "timezone": program.configuration.timezone,
        "restic_flags": list(forget_flags(dataset.keep)),
        "prune": dataset.prune,
        "brake": dataset.brake,
        "repositories": [
            {
                **verdict_document(verdict),
                "prune_due": prune_due(program.tools, dataset, verdict.name, now),
            }
            for verdict in verdicts(program.tools, dataset, now)
        ],
    }


def let_go(
    program: Program,
    datasets: Sequence[Dataset],
    region: str | None,
    *,
    prune: str,
    force: str,
    control: Control,
    watchers: Watchers = nobody,
    trigger: str = "operator",
) -> list[Carried]:
    """Apply retention to each dataset; see core/retaining.py for `prune`, `force`."""
    configuration = program.configuration
    plans = [
        compile_retention(d.name, configuration, region=region, prune=prune, force=force)
        for d in datasets
    ]
    return carry_plans(
        program, plans, control=control, watchers=watchers, trigger=trigger, reason=force
    )


def concerned(program: Program, datasets: Sequence[Dataset], region: str | None) -> list[Dataset]:
    """Those of the datasets that lie in the region; UsageError if none does."""
    if region is None:
        return list(datasets)
    found = [d for d in datasets if program.region(region).name in d.regions]
    if not found:
        names = ", ".join(d.name for d in datasets)
        raise UsageError(f"{names} has no copy in {region}", "see `drorch status`")
    return found
