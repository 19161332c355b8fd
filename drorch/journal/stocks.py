"""Rows of the table `stocks` from and to values, each inside the caller's transaction.

What a region holds in short is counted anew from its copies whenever one of them has changed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from drorch.core.codec import encode
from drorch.core.errors import JournalUntrusted
from drorch.core.posture import CopyFact, Stock
from drorch.journal import statements
from drorch.journal.connection import Connection

#: How long an instant is as text.
_LONG = 27

# There are tens of thousands: whether each is written as it should be, `journal verify` looks.
_instant = datetime.fromisoformat


#: Of more datasets than these, all are read at once.
_FEW = 500


def stocks(connection: Connection, of: Collection[str] | None = None) -> list[Stock]:
    """What every region holds of every dataset, by dataset and region; at least of those named."""
    if of is None or len(of) > _FEW:
        return [_kept(row) for row in connection.execute(statements.STOCKS)]
    return [
        _kept(row)
        for name in sorted(of)
        for row in connection.execute(statements.STOCKS_OF, {"the_dataset": name})
    ]


def renew_stocks(connection: Connection, changed: Iterable[CopyFact]) -> None:
    """Count anew what the regions hold that these facts are about."""
    for dataset, region in dict.fromkeys((fact.dataset, fact.region) for fact in changed):
        place = {"the_dataset": dataset, "the_region": region}
        found = [_counted(row) for row in connection.execute(statements.STOCK_COUNTED, place)]
        connection.execute(statements.DELETE_STOCK, place)
        for stock in found:
            connection.execute(statements.INSERT_STOCK, _columns(stock))


def replace_stocks(connection: Connection) -> None:
    """Count all of them anew."""
    found = [_counted(row) for row in connection.execute(statements.STOCKS_COUNTED)]
    connection.execute(statements.DELETE_STOCKS)
    if found:
        connection.execute_each(statements.INSERT_STOCK, [_columns(stock) for stock in found])


def differences_of_stocks(connection: Connection) -> list[str]:
    """In words, where what is kept is not what the copies add up to."""
    try:
        kept = {(stock.dataset, stock.region): stock for stock in stocks(connection)}
        rows = connection.execute(statements.STOCKS_COUNTED)
        counted = {(stock.dataset, stock.region): stock for stock in map(_counted, rows)}
    except JournalUntrusted as error:
        return [error.message]
    return [
        f"what {region} holds of {dataset} is not what its copies add up to"
        for dataset, region in sorted({*kept, *counted})
        if kept.get((dataset, region)) != counted.get((dataset, region))
    ]


def _columns(stock: Stock) -> dict[str, Any]:
    columns = asdict(stock)
    return {
        name: encode(value) if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


def _kept(row: Sequence[Any]) -> Stock:
    dataset, region, snapshot, newest, oldest, verified, tested, owed, since, files, size = row
    try:
        return Stock(
            dataset,
            region,
            snapshot,
            newest and _instant(newest),
            oldest and _instant(oldest),
            verified and _instant(verified),
            tested and _instant(tested),
            owed and _instant(owed),
            since and _instant(since),
            files,
            size,
        )
    except ValueError:
        raise _damaged(dataset, region) from None


def _counted(row: Sequence[Any]) -> Stock:
    """From the texts that were compared: an instant, and what belongs to it."""
    dataset, region, newest, oldest, verified, tested, owed = row
    snapshot, files, size = newest[_LONG:].split(" ") if newest else (None, "", "")
    try:
        return Stock(
            dataset,
            region,
            snapshot,
            newest and _instant(newest[:_LONG]),
            oldest and _instant(oldest),
            verified and _instant(verified),
            tested and _instant(tested),
            owed and _instant(owed[:_LONG]),
            owed and _instant(owed[_LONG:]),
            int(files) if files else None,
            int(size) if size else None,
        )
    except ValueError:
        raise _damaged(dataset, region) from None


def _damaged(dataset: str, region: str) -> JournalUntrusted:
    return JournalUntrusted(
        f"the row of copies of {dataset} in {region} is damaged",
        "`drorch journal rebuild` makes it anew",
    )
