"""Which of the work that waits may begin."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drorch.core.dispatch import Hold, Work, choose
from drorch.core.settings import DaemonSettings

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def work(
    name, promised=0, *, subject="", dataset="", site="", regions=(), hold=Hold.NOT, light=False
):
    at = NOON + timedelta(minutes=promised)
    return Work(
        name, subject or name, at, NOON, dataset, site, frozenset(regions), hold, light=light
    )


def begun(waiting, running=(), **limits):
    return [w.name for w in choose(waiting, running, DaemonSettings(**limits)).begin]


def test_the_promise_that_breaks_first_is_kept_first():
    assert begun([work("late", 9), work("early", 1), work("between", 5)], parallel=2) == [
        "early",
        "between",
    ]


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        ({"parallel": 1}, "1 other runs were under way on this machine"),
        ({"per_region": 1}, "1 other runs were under way with region mtl"),
        ({"per_site": 1}, "1 other runs were under way from site montreal"),
    ],
)
def test_each_limit_holds_and_is_named(limits, why):
    there = work("a", site="montreal", regions=["mtl", "qc"])
    waits = work("b", site="montreal", regions=["mtl"])
    choice = choose([waits], [there], DaemonSettings(**limits))
    assert not choice.begin
    assert choice.held == {"b": why}
    assert begun([waits], [], **limits) == ["b"]


def test_light_work_takes_no_place_of_the_machine():
    drills = [work(f"drill-{n}", light=True) for n in range(5)]
    assert len(begun(drills, [work("backup")], parallel=1)) == 5


def test_of_a_subject_there_is_one_at_a_time():
    both = [work("backup:a", 1, subject="dataset:a"), work("check:a", 2, subject="dataset:a")]
    choice = choose(both, [], DaemonSettings())
    assert [w.name for w in choice.begin] == ["backup:a"]
    assert choice.held == {"check:a": "backup:a was under way"}


@pytest.mark.parametrize("alone_first", [True, False])
@pytest.mark.parametrize(
    ("hold", "met"), [(Hold.BESIDE, True), (Hold.ALONE, True), (Hold.NOT, False)]
)
def test_what_wants_the_repository_alone_meets_nobody_who_uses_it(hold, met, alone_first):
    alone = work("prune", dataset="a", hold=Hold.ALONE)
    other = work("other", dataset="a", hold=hold)
    first, second = (alone, other) if alone_first else (other, alone)
    assert (begun([second], [first]) == []) is met
    elsewhere = work("elsewhere", dataset="b", hold=hold)
    assert begun([elsewhere], [alone]) == ["elsewhere"]


def test_a_place_that_earlier_work_still_lacks_is_not_taken_by_later_work():
    """`both` needs two regions; whoever needs one of them must not overtake it for ever."""
    both = work("both", 1, regions=["mtl", "qc"])
    later = work("later", 2, regions=["qc"])
    choice = choose([later, both], [work("there", regions=["mtl"])], DaemonSettings(per_region=1))
    assert not choice.begin
    assert set(choice.held) == {"both", "later"}


REGIONS = ("mtl", "qc", "tor")
WORKS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["a", "b", "c", ""]),
        st.sampled_from(["montreal", "quebec", ""]),
        st.sets(st.sampled_from(REGIONS)),
        st.sampled_from(Hold),
        st.booleans(),
    ),
    max_size=12,
)


@given(WORKS, st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers())
def test_everything_is_carried_in_the_end_and_no_limit_is_ever_passed(
    given_works, parallel, per_region, per_site, seed
):
    waiting = [
        work(f"w{n}", p, dataset=d, site=s, regions=r, hold=h, light=light)
        for n, (p, d, s, r, h, light) in enumerate(given_works)
    ]
    limits = DaemonSettings(parallel=parallel, per_region=per_region, per_site=per_site)
    running: list[Work] = []
    random = Random(seed)
    while waiting or running:
        choice = choose(waiting, running, limits)
        assert set(choice.held) | {w.name for w in choice.begin} == {w.name for w in waiting}
        running += choice.begin
        waiting = [w for w in waiting if w not in choice.begin]
        assert running, "work waits, and nothing is under way that it could wait for"
        assert sum(not w.light for w in running) <= parallel
        for region in REGIONS:
            assert sum(region in w.regions for w in running) <= per_region
        for site in ("montreal", "quebec"):
            assert sum(w.site == site for w in running) <= per_site
        for dataset in ("a", "b", "c"):
            holds = [w.hold for w in running if w.dataset == dataset and w.hold is not Hold.NOT]
            assert Hold.ALONE not in holds or len(holds) == 1
        running.remove(random.choice(running))
