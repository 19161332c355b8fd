"""Which states a region can give, from what was found in it."""

from datetime import UTC, datetime, timedelta

from drorch.app.plane.choosing import Brought, candidates, improves, unjoined
from drorch.app.plane.looking import Opened, Whole
from drorch.app.plane.segments import Segment
from drorch.app.plane.whole import Manifest
from drorch.core.model import Region
from drorch.core.plane import BEGINNING, Point
from drorch.journal.chain import Row
from drorch.restic.repository import RepositoryAddress
from drorch.restic.results import Snapshot
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials

DAWN = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
NOW = DAWN + timedelta(days=1)

#: In minutes.
A_YEAR = 365 * 24 * 60


def point(n):
    return Point(n, f"hash-{n}") if n else BEGINNING


def segment(number, after, until, *events, stream="s"):
    rows = tuple((n, Row("run", n, "", "", 0.0, "", "", "", f"hash-{n}")) for n in events)
    at = DAWN + timedelta(minutes=number)
    return Segment(stream, number, at, "1", "0005", "x", point(after), point(until), "", rows)


def whole(until, *late, minute=0, instance=""):
    made = DAWN + timedelta(minutes=minute)
    manifest = Manifest(point(until), made, "0005", late, instance)
    told = Manifest.told(manifest.tags)
    assert told == manifest
    return Whole(Snapshot(f"{until:064}", made, "tree", (), "drorch", manifest.tags), manifest)


def opened(*segments, wholes=(), region="mtl"):
    place = Region(region, f"https://s3.{region}.example", "drorch", "CA-QC")
    streams = {}
    for one in segments:
        streams.setdefault(one.stream, []).append(one)
    return Opened(
        Bucket(place, Credentials("a", "b")),
        RepositoryAddress("s3:x", "p"),
        "plane",
        tuple(wholes),
        {name: tuple(many) for name, many in streams.items()},
        (),
    )


def taken(found, at=None):
    newest = candidates([found], at, NOW)[0]
    return (newest.whole is not None, [one.number for one in newest.segments], newest.until.n)


def test_segments_go_on_from_a_whole_state():
    found = opened(
        segment(1, 0, 4, 1, 2, 3, 4), segment(2, 4, 6, 5, 6), wholes=[whole(5, minute=1)]
    )
    assert taken(found) == (True, [2], 6)


def test_what_a_whole_state_lacked_comes_from_an_earlier_segment():
    segments = segment(1, 0, 4, 1, 2, 4), segment(2, 4, 4, 3), segment(3, 4, 6, 5, 6)
    assert taken(opened(*segments, wholes=[whole(5, 3, minute=2)])) == (True, [2, 3], 6)
    assert taken(opened(*segments, wholes=[whole(5, minute=2)])) == (True, [3], 6)


def test_what_does_not_go_on_from_a_whole_state_is_not_mixed_with_it():
    other = segment(1, 0, 3, 1, 2, 3, stream="t")
    found = opened(other, wholes=[whole(5, 3, minute=2)])
    assert taken(found) == (True, [], 5)


def test_what_a_clock_that_ran_ahead_has_dated_comes_behind_what_goes_on_further():
    ahead = [whole(n, minute=A_YEAR + n) for n in range(10, 17)]
    found = opened(segment(9, 20, 22, 21, 22), wholes=[*reversed(ahead), whole(20, minute=8)])
    assert taken(found) == (True, [9], 22)
    going_on = segment(9, 16, 22, *range(17, 23))  # no whole state was taken since
    assert taken(opened(going_on, wholes=reversed(ahead))) == (True, [9], 22)


def test_a_clock_that_runs_ahead_still_hides_nothing():
    found = opened(wholes=[whole(12, minute=A_YEAR), whole(11, minute=8)])
    assert taken(found) == (True, [], 12)


def test_another_region_whose_state_is_dated_later_than_now_is_no_better():
    (real,) = candidates([opened(wholes=[whole(20, minute=8)])], None, NOW)
    ahead = opened(wholes=[whole(16, minute=A_YEAR)], region="tor")
    (early,) = candidates([ahead], None, NOW)
    nothing = Brought({}, ())
    assert not improves(early, real, nothing, NOW)
    assert improves(real, early, nothing, NOW)


def test_whole_states_of_another_control_plane_push_none_out():
    later = [whole(n, minute=n, instance="bb") for n in range(20, 30)]
    found = opened(wholes=[*reversed(later), whole(11, minute=8, instance="aa")])
    (old,) = candidates([found], None, NOW, "aa")
    assert old.until.n == 11


def test_what_lies_behind_a_gap_is_told_by_its_time():
    gap = opened(segment(1, 0, 4, 1, 2, 3, 4), segment(3, 5, 6, 6), segment(4, 6, 7, 7))
    chosen, *_ = candidates([gap], None, NOW)
    assert chosen.until.n == 4
    assert unjoined(chosen, [gap], None, NOW) == DAWN + timedelta(minutes=4)
    assert unjoined(chosen, [gap], DAWN + timedelta(minutes=3), NOW) == DAWN + timedelta(minutes=3)
    assert unjoined(chosen, [gap], DAWN + timedelta(minutes=2), NOW) is None


def test_what_was_brought_back_whole_is_behind_no_gap():
    """Not another region's copy of the same rows, made a moment later, nor what a clock dated ahead."""
    here = opened(segment(1, 0, 4, 1, 2, 3, 4))
    later = opened(segment(2, 0, 4, 1, 2, 3, 4), segment(A_YEAR * 2, 4, 5, 5), region="qc")
    chosen, *_ = candidates([here], None, NOW)
    assert unjoined(chosen, [here, later], None, NOW) is None
