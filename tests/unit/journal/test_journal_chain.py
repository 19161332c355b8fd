"""The chains: what a hash is taken over, and that any change shows."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest

from drorch.core.codec import canonical, parse
from drorch.core.errors import JournalUntrusted
from drorch.core.events import RunTaken
from drorch.journal.chain import (
    LEDGER_GENESIS,
    RUN_GENESIS,
    Mark,
    Row,
    hash_of,
    note,
    seal,
    unseal,
)
from tests.fakes.facts import OWNER, begun, stamped, started, whole_run


def sealed() -> list[Row]:
    """A whole run's rows."""
    rows: list[Row] = []
    for seq, event in enumerate(whole_run(), 1):
        rows.append(seal("r1", event, seq, rows[-1].hash if rows else RUN_GENESIS))
    return rows


def resealed(row: Row, **changes: Any) -> Row:
    """The row changed, its hash made right again, as one who knows the format would."""
    changed = replace(row, **changes)
    columns = {k: v for k, v in changed.columns().items() if k != "hash"}
    return replace(changed, hash=hash_of(**columns))  # type: ignore[arg-type]


def test_the_hash_is_over_canonical_json_with_the_hash_before() -> None:
    for row in sealed():
        told = {**row.columns(), "body": parse(row.body)}
        del told["hash"]
        plain = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert canonical(told) == plain.encode()
        assert row.hash == hashlib.sha256(plain.encode()).hexdigest()


def test_the_beginnings_are_known_words() -> None:
    assert hashlib.sha256(b"drorch journal 1: events of a run").hexdigest() == RUN_GENESIS
    assert LEDGER_GENESIS != RUN_GENESIS


def test_an_honest_chain_is_read() -> None:
    assert [r.event for r in unseal(sealed())] == [s.event for s in whole_run()]


@pytest.mark.parametrize(
    ("index", "changes", "said"),
    [
        (1, {"body": '{"attempt":2,"step":"step-0"}'}, "event 2 was changed"),
        (1, {"at": "2026-11-23T03:00:02.000000Z"}, "event 2 was changed"),
        (1, {"ticks": 1.0}, "event 2 was changed"),
        (1, {"boot": "other"}, "event 2 was changed"),
        (1, {"kind": "attempt.lost"}, "event 2 was changed"),
        (1, {"hash": "0" * 64}, "event 2 was changed"),
        (1, {"prev": "0" * 64}, "event 2 does not follow the one before it"),
        (1, {"seq": 3}, "event 2 is missing"),
        (0, {"prev": LEDGER_GENESIS}, "event 1 does not follow the one before it"),
    ],
)
def test_any_change_shows(index: int, changes: dict[str, Any], said: str) -> None:
    rows = sealed()
    rows[index] = replace(rows[index], **changes)
    with pytest.raises(JournalUntrusted, match=said):
        list(unseal(rows))


def test_a_change_with_its_hash_made_right_breaks_what_follows() -> None:
    rows = sealed()
    rows[1] = resealed(rows[1], body='{"attempt":1,"step":"step-9"}')
    with pytest.raises(JournalUntrusted, match="event 3 does not follow"):
        list(unseal(rows))


def test_a_left_out_event_and_two_swapped_ones_show() -> None:
    rows = sealed()
    with pytest.raises(JournalUntrusted, match="event 2 is missing"):
        list(unseal([rows[0], *rows[2:]]))
    with pytest.raises(JournalUntrusted, match="event 2 is missing"):
        list(unseal([rows[0], rows[2], rows[1], *rows[3:]]))


def test_what_a_newer_version_added_is_passed_over_and_a_new_kind_is_not() -> None:
    newer = replace(started(), owner=replace(OWNER, version="99.1.0"))
    first = seal("r1", stamped(newer)[0], 1, RUN_GENESIS)
    second = seal("r1", stamped(begun())[0], 2, first.hash)
    added = resealed(second, body='{"attempt":1,"step":"step-0","worker":"w1"}')
    assert [type(r.event).__name__ for r in unseal([first, added])] == [
        "RunStarted",
        "AttemptStarted",
    ]
    unknown = resealed(second, kind="attempt.moved")
    with pytest.raises(JournalUntrusted, match="not known to this version") as caught:
        list(unseal([first, unknown]))
    assert "newer" in caught.value.hint
    own = seal("r1", stamped(started())[0], 1, RUN_GENESIS)
    after_own = resealed(added, prev=own.hash)
    with pytest.raises(JournalUntrusted, match="has no field 'worker'"):
        list(unseal([own, after_own]))


def test_a_newer_owner_who_took_over_may_have_added_things() -> None:
    first = seal("r1", stamped(started())[0], 1, RUN_GENESIS)
    taken = RunTaken(replace(OWNER, version="99.0"), "a")
    second = seal("r1", stamped(taken)[0], 2, first.hash)
    third = seal("r1", stamped(begun())[0], 3, second.hash)
    added = resealed(third, body='{"attempt":1,"step":"step-0","worker":"w1"}')
    assert len(list(unseal([first, second, added]))) == 3


@pytest.mark.parametrize("changes", [{"body": "{}"}, {"body": "["}, {"at": "yesterday"}])
def test_what_is_no_event_is_not_trusted(changes: dict[str, Any]) -> None:
    row = resealed(sealed()[0], **changes)
    with pytest.raises(JournalUntrusted):
        list(unseal([row]))


def test_the_ledger_chains_starts_and_ends() -> None:
    rows = sealed()
    start = note(None, Mark.START, rows[0])
    end = note(start, Mark.END, rows[-1])
    assert (start.n, start.prev, start.head) == (1, LEDGER_GENESIS, rows[0].hash)
    assert (end.n, end.prev, end.head) == (2, start.hash, rows[-1].hash)
    assert end.hash == end.computed() != replace(end, head=rows[0].hash).computed()
