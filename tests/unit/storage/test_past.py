"""What was there at a moment, and what became of it since."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.storage.past import Fate, choose_config, contents, covering, fate, standing
from drorch.storage.versions import Version

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MARKER = "x"


def history(*entries):
    """Newest first: (hour, content); an `x` is a marker."""
    return tuple(
        Version(
            "datasets/docs/index/a",
            f"{number}",
            NOON + timedelta(hours=hour),
            size=len(written),
            etag=written,
            marker=written == MARKER,
        )
        for number, (hour, written) in enumerate(entries)
    )


@pytest.mark.parametrize(
    ("entries", "became"),
    [
        ([(-1, "good")], Fate.KEPT),
        ([(0, "good")], Fate.KEPT),
        ([(1, "good")], Fate.NEW),
        ([(1, "x"), (-1, "good")], Fate.DELETED),
        ([(1, "x"), (1, "x"), (-1, "good")], Fate.DELETED),
        ([(-1, "x"), (-2, "good")], Fate.ABSENT),
        ([(1, "x"), (-1, "x"), (-2, "good")], Fate.ABSENT),
        ([(2, "x"), (1, "good")], Fate.ABSENT),
        ([(1, "good"), (-1, "x"), (-2, "good")], Fate.NEW),
        ([(1, "x")], Fate.ABSENT),
        ([(1, "evil"), (-1, "good")], Fate.DOUBTFUL),
        ([(2, "x"), (1, "evil"), (-1, "good")], Fate.DOUBTFUL),
        ([(-1, "evil"), (-2, "good")], Fate.DOUBTFUL),
        ([(1, "good"), (-1, "good")], Fate.KEPT),
        ([(2, "evil"), (1, "worse")], Fate.NEW),
    ],
)
def test_what_became_of_an_object(entries, became):
    assert fate(history(*entries), NOON, lambda _: True) is became


def test_a_version_whose_time_may_have_been_moved_may_have_been_there():
    moved = history((2, "x"), (1, "good"))
    assert fate(moved, NOON, lambda _: False) is Fate.DELETED
    assert standing(moved, NOON, lambda _: False) == moved[1]


def test_the_time_of_a_marker_is_always_believed():
    deleted = history((2, "x"), (1, "x"), (1, "good"), (-1, "x"))
    assert fate(deleted, NOON, lambda _: True) is Fate.ABSENT


ENTRIES = st.lists(st.tuples(st.integers(-3, 3), st.sampled_from("xabc")), min_size=1)


@given(ENTRIES, st.booleans())
def test_what_shows_now_is_never_called_hidden_nor_the_other_way_round(entries, sure):
    entries.sort(reverse=True, key=lambda e: e[0])
    found = history(*entries)
    became = fate(found, NOON, lambda _: sure)
    shows = not found[0].marker
    assert became not in ((Fate.ABSENT, Fate.DELETED) if shows else (Fate.NEW, Fate.KEPT))
    if all(e[0] <= 0 for e in entries) and len(contents(found)) == 1:
        assert became is (Fate.KEPT if shows else Fate.ABSENT)


def test_each_content_once_the_newest_first():
    found = history((3, "b"), (2, "x"), (1, "a"), (0, "b"), (-1, "a"))
    assert [v.id for v in contents(found)] == ["0", "2"]
    assert covering(found) == ()
    assert [v.id for v in covering(history((2, "x"), (1, "x"), (0, "a"), (-1, "x")))] == ["0", "1"]


def nobody(_):
    return None


def test_an_only_config_is_the_one():
    assert choose_config([b"a", b"a"], [], [b"b"], lambda _: "not ours") == (b"a", "")


def test_whoever_has_the_key_knows_the_config():
    def knows(content):
        return "" if content in (b"good", b"also good") else "not made with the key"

    found = choose_config([b"evil", b"good", b"old"], [b"evil", b"old"], [b"evil"], knows)
    assert found == (b"good", "")
    both = [b"also good", b"evil", b"good"]
    assert choose_config(both, [b"also good"], [], knows) == (b"also good", "")
    assert choose_config(both, [], [], knows) == (b"good", "")


def test_else_a_mirror_speaks_for_it():
    assert choose_config([b"evil", b"good"], [b"evil", b"good"], [b"good"], nobody) == (b"good", "")


def test_else_the_oldest_is_taken_and_that_is_told():
    config, doubt = choose_config([b"worse", b"evil", b"good"], [b"evil", b"good"], [], nobody)
    assert config == b"good"
    assert "3 different ones" in doubt
    assert choose_config([b"evil", b"good"], [b"evil"], [b"else"], nobody)[0] == b"evil"
