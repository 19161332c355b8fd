"""What may go in a region after a prune: never what is needed, never where something is new."""

import hashlib

import pytest

from drorch.core.model import Region
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials
from drorch.storage.holdings import Holding
from drorch.storage.layout import Kind, Named
from drorch.storage.pruning import Pruning, removable, shows_nothing_new
from drorch.storage.removal import remove


def digest(word):
    return hashlib.sha256(word.encode()).digest()


def name(kind, word):
    return Named(kind, digest(word), 1).name


def hexes(*words):
    return [digest(word).hex() for word in words]


def holding(region="mtl", *, snapshots=("s2",), index=("i2",), data=("p2", "p3")):
    """A region that shows these, each pack of 100 bytes."""
    bucket = Bucket(Region(region, "http://127.0.0.1:1", "b", "CA-QC"), Credentials())
    found = Holding(bucket)
    for kind, words in ((Kind.SNAPSHOTS, snapshots), (Kind.INDEX, index), (Kind.DATA, data)):
        found.objects[kind] = {digest(word): 100 for word in words}
    return found


BEFORE = {"snapshots": ("s1", "s2"), "index": ("i1", "i2"), "data": ("p1", "p2", "p3")}
UNNEEDED = (name(Kind.SNAPSHOTS, "s1"), name(Kind.INDEX, "i1"), name(Kind.DATA, "p1"))


def pruning(**more):
    """mtl was pruned: s1, i1 and p1 go; i2 and p3 were written."""
    given = {"gone": hexes("s1"), "written": hexes("p3")} | more
    return Pruning(holding(**BEFORE), UNNEEDED, **given)


def test_the_region_that_was_pruned_and_its_equal_lose_what_is_not_needed():
    for region in ("mtl", "qc"):
        found = removable(pruning(), holding(region, **BEFORE))
        assert set(found.names) == set(UNNEEDED)
        assert (found.why, found.objects_left) == ("", 4)
        assert (found.data_before, found.data_after) == (200, 200)


@pytest.mark.parametrize(
    ("lacks", "why"),
    [
        ({"data": ("p1", "p2")}, "it lacks 1 object(s) that are needed"),
        ({"index": ("i1",)}, "it lacks 1 object(s) that are needed"),
        ({"snapshots": ("s1", "s2", "s3")}, "it shows 1 snapshots that are new"),
        ({"index": ("i1", "i2", "i3")}, "it shows 1 index that are new"),
    ],
)
def test_where_something_is_missing_or_new_nothing_goes(lacks, why):
    found = removable(pruning(), holding("qc", **{**BEFORE, **lacks}))
    assert (found.why, found.names) == (why, ())


def test_an_object_of_another_size_is_missing():
    other = holding("qc", **BEFORE)
    other.objects[Kind.DATA][digest("p2")] = 99
    assert removable(pruning(), other).why == "it lacks 1 object(s) that are needed"


def test_a_region_that_was_away_loses_what_the_others_lost_before():
    away = holding("qc", snapshots=("s0", "s2"), index=("i0", "i2"), data=("p0", "p2", "p3"))
    known = pruning(gone=hexes("s0", "s1"), once_pruned=hexes("i0", "p0"))
    assert set(removable(known, away).names) == {
        name(Kind.SNAPSHOTS, "s0"),
        name(Kind.INDEX, "i0"),
        name(Kind.DATA, "p0"),
    }
    assert removable(pruning(gone=hexes("s0", "s1")), away).why  # its index would be new


def test_what_is_not_ours_stays_where_it_is():
    planted = holding("qc", **{**BEFORE, "snapshots": ("s1", "s2", "evil")})
    found = removable(pruning(strange=hexes("evil")), planted)
    assert set(found.names) == set(UNNEEDED)


def test_only_a_region_that_shows_nothing_new_keeps_its_objects_to_itself():
    others = [holding()]
    gone, pruned = frozenset({digest("s1")}), frozenset({digest("i1"), digest("p1")})
    away = holding("qc", snapshots=("s1", "s2"), index=("i1", "i2"))
    assert shows_nothing_new(away, others, gone, pruned)
    assert not shows_nothing_new(away, others, frozenset(), pruned)
    assert not shows_nothing_new(away, others, gone, frozenset())
    assert not shows_nothing_new(away, [], gone, pruned)


def test_nothing_but_snapshots_indexes_and_data_is_ever_deleted():
    bucket = holding().bucket
    for wrong in ("config", "keys/" + "a" * 64, "locks/" + "a" * 64, "../x"):
        with pytest.raises(ValueError):
            remove(bucket, "datasets/docs", [wrong])
