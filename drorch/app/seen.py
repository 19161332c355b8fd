"""What `status` reads of the journal, each thing once and of all datasets together."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from drorch.app.program import Program
from drorch.core.alarms import RunEnded
from drorch.core.facts import F, Known, Proven
from drorch.core.model import Dataset
from drorch.core.names import Outcome, RunKind
from drorch.core.posture import RunRow, Stock
from drorch.core.promises import REMEMBERED, near_breach

#: Among so many of a dataset's newest runs the last good check is looked for, after one that failed.
_LOOKED_AT = 2000


class Seen:
    """The journal as it was at `now`, read as far as it is asked for."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.now = program.clock.now().at
        self._facts: dict[type, Mapping[str, Sequence[Known[Any]]]] = {}
        self._with_any: dict[tuple[type, ...], frozenset[str]] = {}

    def facts(self, wanted: type[F], dataset: str) -> Sequence[Known[F]]:
        """The facts of one kind about the dataset that stand, by region and subject."""
        if wanted not in self._facts:
            self._facts[wanted] = self.program.journal.whole.facts(wanted)
        return self._facts[wanted].get(dataset, ())

    def anything(self, kinds: Sequence[type[Any]], dataset: str) -> bool:
        """Whether there is a fact of any of these kinds about the dataset."""
        key = tuple(kinds)
        if key not in self._with_any:
            for kind in kinds:
                self.facts(kind, "")
            self._with_any[key] = frozenset(name for kind in kinds for name in self._facts[kind])
        return dataset in self._with_any[key]

    def proven(self, dataset: str) -> Sequence[Known[Proven]]:
        """What was hashed of the dataset: hundreds of facts, so only of those that have any."""
        if dataset not in self._with_proofs:
            return ()
        return self.program.journal.whole.proven(dataset)

    def stock(self, dataset: Dataset, region: str) -> Stock:
        """What the region holds of the dataset, and is owed."""
        return self._stocks.get(dataset.name, {}).get(region) or Stock(dataset.name, region)

    def stocks_of(self, dataset: Dataset) -> Sequence[Stock]:
        """What each of its regions holds of it, in their order."""
        return [self.stock(dataset, region) for region in dataset.regions]

    def stocks(self, dataset: Dataset) -> Sequence[Stock]:
        """What every region holds of it, those included that it is not to lie in any more."""
        return tuple(self._stocks.get(dataset.name, {}).values())

    def forgotten(self, dataset: Dataset, region: str) -> Sequence[datetime]:
        """When the snapshots were forgotten that the region still holds."""
        return self._forgotten.get((dataset.name, region), ())

    def backing_up(self, dataset: Dataset) -> datetime | None:
        """Since when a backup of the dataset is under way, if one is."""
        return self._backups.get(dataset.name)

    def took(self, dataset: Dataset) -> Sequence[timedelta]:
        """How long the last backups took of a dataset that is near to breaching its RPO."""
        return self._took.get(dataset.name, ())

    @cached_property
    def _took(self) -> Mapping[str, Sequence[timedelta]]:
        near = [
            dataset.name
            for dataset in self.program.configuration.datasets.values()
            if (rpo := dataset.objectives.rpo) is not None
            and any(
                stock.newest_at is not None and near_breach(stock.newest_at, rpo, self.now)
                for stock in self.stocks_of(dataset)
            )
        ]
        return self.program.journal.whole.took(RunKind.BACKUP, near, REMEMBERED)

    def checked(self, dataset: str) -> datetime | None:
        """When the newest check of the dataset passed."""
        if dataset in self._checked:
            return self._checked[dataset]
        rows = self.program.journal.rows(name=dataset, limit=_LOOKED_AT)
        return next(
            (
                row.finished_at
                for row in rows
                if row.kind is RunKind.CHECK and row.outcome is Outcome.PASSED
            ),
            None,
        )

    @cached_property
    def _checked(self) -> Mapping[str, datetime]:
        return self.program.journal.whole.last_good(RunKind.CHECK)

    @cached_property
    def unfinished(self) -> Sequence[RunRow]:
        """Runs that are not finished, newest first."""
        return self.program.journal.rows(unfinished=True)

    @cached_property
    def ended_badly(self) -> Sequence[Known[RunEnded]]:
        """The newest end of each kind and name of run, where it was no good one."""
        return self.program.journal.whole.ended_badly()

    @cached_property
    def _with_proofs(self) -> frozenset[str]:
        return frozenset(self.program.journal.whole.datasets_with(Proven))

    @cached_property
    def _stocks(self) -> Mapping[str, Mapping[str, Stock]]:
        found: dict[str, dict[str, Stock]] = {}
        for stock in self.program.journal.whole.stocks(of=self.program.configuration.datasets):
            found.setdefault(stock.dataset, {})[stock.region] = stock
        return found

    @cached_property
    def _forgotten(self) -> Mapping[tuple[str, str], Sequence[datetime]]:
        found: dict[tuple[str, str], list[datetime]] = {}
        for dataset, region, at in self.program.journal.whole.forgotten_held():
            found.setdefault((dataset, region), []).append(at)
        return found

    @cached_property
    def _backups(self) -> Mapping[str, datetime]:
        from drorch.app.lives import owner_lives

        return {
            row.name: row.started_at
            for row in self.unfinished
            if row.kind is RunKind.BACKUP and owner_lives(row)
        }
