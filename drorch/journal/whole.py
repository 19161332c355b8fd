"""What is read of all datasets at once, by one statement each: `status` asks for ten thousand."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from drorch.core.alarms import RunEnded
from drorch.core.codec import decode
from drorch.core.facts import WORDS, F, Fact, Forgotten, Known, Proven
from drorch.core.names import Outcome, RunKind
from drorch.core.posture import SlotRow, Stock
from drorch.journal import noted, scheduled, statements, stocks
from drorch.journal.connection import Connection


class Whole:
    """Each method reads one state of the journal, in a transaction of its own."""

    def __init__(self, reading: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._reading = reading

    def stocks(self, of: Collection[str] | None = None) -> Sequence[Stock]:
        """What every region holds of every dataset, in short; by dataset and region. Where only
        some datasets matter, at least of those.
        """
        with self._reading() as connection:
            return stocks.stocks(connection, of)

    def facts(self, wanted: type[F]) -> Mapping[str, Sequence[Known[F]]]:
        """The facts of one kind that stand, by dataset, then by region and subject."""
        found: dict[str, list[Known[F]]] = {}
        with self._reading() as connection:
            for row in connection.execute(statements.FACTS_OF_ALL, {"word": WORDS[wanted]}):
                found.setdefault(row[1], []).append(noted.fact_of(row, wanted))
        return found

    def proven(self, dataset: str) -> Sequence[Known[Proven]]:
        """What was hashed of a dataset: hundreds of facts, so each is read as it lies there."""
        asked = {"word": WORDS[Proven], "dataset": dataset}
        with self._reading() as connection:
            return [_proven(row) for row in connection.execute(statements.FACTS_OF, asked)]

    def datasets_with(self, wanted: type[Fact]) -> AbstractSet[str]:
        """The datasets about which there is a fact of that kind."""
        asked = {"word": WORDS[wanted]}
        with self._reading() as connection:
            return {name for (name,) in connection.execute(statements.DATASETS_WITH_FACTS, asked)}

    def forgotten_held(self) -> Sequence[tuple[str, str, datetime]]:
        """Dataset and region of each forgotten snapshot that is still held, and when it was
        forgotten.
        """
        asked = {"word": WORDS[Forgotten]}
        with self._reading() as connection:
            found = list(connection.execute(statements.FORGOTTEN_HELD, asked))
        return [(dataset, region, decode(datetime, at)) for dataset, region, at in found]

    def slots_off(self, since: datetime) -> Sequence[tuple[SlotRow, datetime]]:
        """The slots since then that were late or missed, by job, the oldest first; and up to when
        the job's slots are accounted for.
        """
        with self._reading() as connection:
            return scheduled.slots_off(connection, since)

    def ended_badly(self) -> Sequence[Known[RunEnded]]:
        """The newest end of each kind and name of run, where it was no good one."""
        # Most are good: the text spares reading those.
        asked = {"word": WORDS[RunEnded], "dataset": "", "said": '%"good":false%'}
        with self._reading() as connection:
            rows = list(connection.execute(statements.FACTS_SAYING, asked))
        found = [noted.fact_of(row, RunEnded) for row in rows]
        return [known for known in found if not known.fact.good]

    def last_good(self, kind: RunKind) -> Mapping[str, datetime]:
        """Of each name whose newest run of that kind was good: when it ended."""
        asked = {"word": WORDS[RunEnded], "region": kind.value, "said": '%"good":true%'}
        with self._reading() as connection:
            found = list(connection.execute(statements.SUBJECTS_SAYING, asked))
        return {name: _instant(at) for name, at in found}

    def took(
        self, kind: RunKind, names: Iterable[str], limit: int
    ) -> Mapping[str, Sequence[timedelta]]:
        """How long the newest runs of these names took that passed, newest first."""
        asked = {"kind": kind.value, "outcome": Outcome.PASSED.value, "limit": limit}
        with self._reading() as connection:
            found = {
                name: list(connection.execute(statements.TOOK, {**asked, "name": name}))
                for name in names
            }
        return {
            name: [_instant(finished) - _instant(began) for began, finished in rows]
            for name, rows in found.items()
        }

    def beginning(self) -> datetime | None:
        """When the first run began."""
        with self._reading() as connection:
            found = list(connection.execute(statements.BEGINNING))
        return decode(datetime, found[0][0]) if found and found[0][0] else None


# There are tens of thousands: whether each is written as it should be, `journal verify` looks.
_instant = datetime.fromisoformat


def _proven(row: Sequence[Any]) -> Known[Proven]:
    _, dataset, region, part, body, recorded_at = row
    try:
        told = json.loads(body)
        began, since = told.get("began"), told.get("since")
        fact = Proven(
            dataset,
            region,
            part,
            told["objects"],
            told["bytes"],
            tuple(told.get("damaged", ())),
            told.get("through", ""),
            began and _instant(began),
            since and _instant(since),
        )
        return Known(fact, _instant(recorded_at))
    except (ValueError, KeyError, TypeError):
        return noted.fact_of(row, Proven)
