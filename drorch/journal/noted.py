"""Rows of the table `facts` from and to values, each inside the caller's transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from drorch.core.codec import NotDecodable, canonical, decode, encode, parse
from drorch.core.decoding import decoder_of
from drorch.core.encoding import encoder_of
from drorch.core.errors import JournalUntrusted
from drorch.core.facts import WORDS, F, Fact, Known, Place, place_of
from drorch.journal import statements
from drorch.journal.connection import Connection

_TYPES = {word: kind for kind, word in WORDS.items()}


def note_fact(connection: Connection, fact: Fact, at: datetime) -> None:
    """Let a fact take its place."""
    columns = _columns(Known(fact, at))
    connection.execute(statements.DELETE_FACT, _key(place_of(fact)))
    connection.execute(statements.INSERT_FACT, columns)


def facts_of(connection: Connection, wanted: type[F], dataset: str) -> list[Known[F]]:
    """The facts of one kind about a dataset, by region and subject."""
    asked = {"word": WORDS[wanted], "dataset": dataset}
    found = connection.execute(statements.FACTS_OF, asked)
    return [fact_of(row, wanted) for row in found]


def every_fact(connection: Connection) -> dict[Place, Known[Fact]]:
    """All facts that stand, by their places."""
    return {Place(*row[:4]): _known_any(row) for row in connection.execute(statements.FACTS)}


def replace_facts(connection: Connection, known: Collection[Known[Fact]]) -> None:
    """Make these all the facts."""
    connection.execute(statements.DELETE_FACTS)
    if known:
        connection.execute_each(statements.INSERT_FACT, [_columns(one) for one in known])


def folded(
    facts: Iterable[tuple[Fact, datetime]],
) -> dict[Place, Known[Fact]]:
    """What stands after facts in the order of their recording."""
    return {place_of(fact): Known(fact, at) for fact, at in facts}


def _key(place: Place) -> dict[str, str]:
    return {
        "the_word": place.word,
        "the_dataset": place.dataset,
        "the_region": place.region,
        "the_subject": place.subject,
    }


def _columns(known: Known[Any]) -> dict[str, Any]:
    fact = known.fact
    place = place_of(fact)
    return {
        "word": place.word,
        "dataset": place.dataset,
        "region": place.region,
        "subject": place.subject,
        "body": canonical(encoder_of(type(fact))(fact)).decode(),
        "recorded_at": encode(known.recorded_at),
    }


def _known_any(row: Sequence[Any]) -> Known[Fact]:
    kind = _TYPES.get(row[0])
    if kind is None:
        raise _damaged(row)
    return fact_of(row, kind)


def fact_of(row: Sequence[Any], wanted: type[F]) -> Known[F]:
    """A fact from its columns."""
    *_, body, recorded_at = row
    try:
        return Known(decoder_of(wanted, False)(parse(body)), decode(datetime, recorded_at))
    except NotDecodable:
        raise _damaged(row) from None


def _damaged(row: Sequence[Any]) -> JournalUntrusted:
    word, dataset, region, subject = row[:4]
    return JournalUntrusted(
        f"the row of {word} {subject} of {dataset} {region} is damaged".replace("  ", " "),
        "`drorch journal rebuild` makes it anew",
    )
