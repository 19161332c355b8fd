"""Use cases of retention: what would go and why each snapshot stays, and holds."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.actions.holdings import Verdict, verdicts
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.due import is_due
from drorch.core.facts import Pruned
from drorch.core.model import Dataset
from drorch.core.retention import Judged
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
            _repository(program, dataset, verdict, now)
            for verdict in verdicts(program.tools, dataset, now)
        ],
    }


def _repository(
    program: Program, dataset: Dataset, verdict: Verdict, now: datetime
) -> dict[str, Value]:
    return {
        "repository": verdict.name,
        "regions": list(verdict.holdings.regions),
        "unreachable": {r: error.message for r, error in verdict.holdings.dead.items()},
        "braked": verdict.braked or None,
        "prune_due": prune_due(program, dataset, verdict.name, now),
        "snapshots": [_snapshot(judged) for judged in verdict.judged],
    }


def _snapshot(judged: Judged) -> dict[str, Value]:
    return {
        "snapshot": judged.candidate.snapshot,
        "time": rfc3339(judged.candidate.at),
        "regions": list(judged.candidate.regions),
        "decision": "keep" if judged.keep else "forget",
        "reasons": list(judged.reasons),
    }


def prune_due(program: Program, dataset: Dataset, region: str, now: datetime) -> bool:
    """Whether the dataset's `prune:` has come due for the repository that begins in a region."""
    if dataset.prune is None:
        return False
    facts = program.tools.knowledge.facts(Pruned, dataset.name)
    last = next((k.recorded_at for k in facts if k.fact.region == region), None)
    return is_due(dataset.prune, last, now, ZoneInfo(program.configuration.timezone))
