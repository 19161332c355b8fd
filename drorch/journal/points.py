"""Rows of the table `points`, each inside the caller's transaction: how old copies were at any time.

A row is written with every event that tells of copies, for each place (dataset and region) that it
tells of: a minute of fifteen years is answered from one row before it.
"""

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TypeAlias

from drorch.core.codec import NotDecodable, decode
from drorch.core.encoding import write_instant
from drorch.core.errors import JournalUntrusted
from drorch.core.posture import CopyFact
from drorch.journal import statements
from drorch.journal.connection import Connection
from drorch.journal.projection import CopyFold

#: Dataset and region.
Place: TypeAlias = tuple[str, str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING = -(2**63)
_BATCH = 5_000


def note_points(connection: Connection, told: Iterable[CopyFact], at: datetime) -> None:
    """Keep how new the newest copy is in each place these facts are about, which are known by now."""
    moment = write_instant(at)
    for dataset, region in dict.fromkeys((fact.dataset, fact.region) for fact in told):
        key = {"the_dataset": dataset, "the_region": region, "the_at": moment}
        connection.execute(statements.DELETE_POINT, key)
        found = {"dataset": dataset, "region": region, "at": moment}
        connection.execute(statements.INSERT_POINT_FOUND, found)


class PointFold:
    """All rows by place, as the events tell them. Sixteen bytes each: there are millions."""

    def __init__(self) -> None:
        self._told: dict[Place, tuple[array[int], array[int]]] = {}

    def note(self, copies: CopyFold, told: Iterable[CopyFact], at: datetime) -> None:
        """Take in the places these facts are about, which `copies` knows by now."""
        moment = _number(at)
        for place in dict.fromkeys((fact.dataset, fact.region) for fact in told):
            if place not in self._told:
                self._told[place] = (array("q"), array("q"))
            moments, newest = self._told[place]
            found = copies.newest(*place, at)
            moments.append(moment)
            newest.append(_NOTHING if found is None else _number(found))

    def rows(self, place: Place) -> list[tuple[int, int]]:
        """Moments and times of the newest snapshots, in microseconds, by moment. Of the same moment
        the last one told counts.
        """
        moments, newest = self._told.get(place, ((), ()))
        return sorted(dict(zip(moments, newest, strict=True)).items())

    def places(self) -> list[Place]:
        """The places, in order."""
        return sorted(self._told)

    def columns(self) -> Iterator[dict[str, str | None]]:
        """All rows as columns."""
        for dataset, region in self.places():
            for at, newest in self.rows((dataset, region)):
                yield {
                    "dataset": dataset,
                    "region": region,
                    "at": _text(at),
                    "newest_at": None if newest == _NOTHING else _text(newest),
                }


def replace_points(connection: Connection, told: PointFold) -> None:
    """Make these all the rows."""
    connection.execute(statements.DELETE_POINTS)
    batch: list[dict[str, str | None]] = []
    for row in told.columns():
        batch.append(row)
        if len(batch) == _BATCH:
            connection.execute_each(statements.INSERT_POINT, batch)
            batch = []
    if batch:
        connection.execute_each(statements.INSERT_POINT, batch)


def differences_of_points(connection: Connection, told: PointFold) -> list[str]:
    """In words, the places of which what is kept is not what the events tell."""
    off: list[str] = []
    seen: set[Place] = set()
    found = connection.execute(statements.POINTS)
    for place, rows in groupby(found, key=lambda row: (row[0], row[1])):
        seen.add(place)
        try:
            kept = [(_kept(at, place), _kept(newest, place)) for _, _, at, newest in rows]
        except JournalUntrusted as error:
            return [error.message]
        if kept != told.rows(place):
            off.append(_said(place))
    return [*off, *(_said(place) for place in told.places() if place not in seen)]


def _said(place: Place) -> str:
    return f"how old copies of {place[0]} in {place[1]} were is not what the events tell"


def places(connection: Connection) -> Iterator[Place]:
    """Every place of which anything was ever known, in order."""
    last = ("", "")
    while True:
        asked = {"dataset": last[0], "region": last[1]}
        found = list(connection.execute(statements.NEXT_PLACE, asked))
        if not found:
            return
        last = (found[0][0], found[0][1])
        yield last


def points_between(
    connection: Connection, place: Place, since: datetime, until: datetime
) -> list[tuple[datetime, datetime | None]]:
    """From the row that holds at `since` to the last before `until`: moment, and when the newest
    snapshot was made.
    """
    where = {"the_dataset": place[0], "the_region": place[1]}
    asked = {**where, "since": write_instant(since)}
    before = list(connection.execute(statements.POINT_BEFORE, asked))
    asked["until"] = write_instant(until)
    rows = [*before, *connection.execute(statements.POINTS_BETWEEN, asked)]
    # There are millions: whether each is written as it should be, `journal verify` looks.
    instant = datetime.fromisoformat
    try:
        return [(instant(at), newest and instant(newest)) for at, newest in rows]
    except (TypeError, ValueError):
        raise _damaged(place) from None


def first_point(connection: Connection, place: Place) -> datetime | None:
    """When a snapshot was first known to lie there."""
    where = {"the_dataset": place[0], "the_region": place[1]}
    found = list(connection.execute(statements.FIRST_POINT, where))
    try:
        return datetime.fromisoformat(found[0][0]) if found else None
    except (TypeError, ValueError):
        raise _damaged(place) from None


def _kept(text: str | None, place: Place) -> int:
    try:
        return _NOTHING if text is None else _number(decode(datetime, text))
    except NotDecodable:
        raise _damaged(place) from None


def _number(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _text(number: int) -> str:
    return write_instant(_EPOCH + number * _MICROSECOND)


def _damaged(place: Place) -> JournalUntrusted:
    return JournalUntrusted(
        f"a row of how old copies of {place[0]} in {place[1]} were is damaged",
        "`drorch journal rebuild` makes it anew",
    )
