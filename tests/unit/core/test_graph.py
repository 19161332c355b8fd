from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drorch.core.graph import ends_of, find_cycle, is_upstream, waves_of

NAMES = st.sampled_from("abcdef")
NEEDS = st.fixed_dictionaries({name: st.lists(NAMES, max_size=3) for name in "abcdef"})


@given(NEEDS)
def test_a_cycle_found_is_one_and_none_found_means_none(needs):
    cycle = find_cycle(needs)
    if cycle:
        assert cycle[0] == cycle[-1]
        assert all(after in needs[before] for before, after in pairwise(cycle))
    else:
        assert not any(is_upstream(needs, name, name) for name in needs)


@given(NEEDS)
def test_upstream_is_the_transitive_need(needs):
    for name in needs:
        reached, wave = set(), set(needs[name])
        while wave:
            reached |= wave
            wave = {n for one in wave for n in needs[one]} - reached
        assert {other for other in needs if is_upstream(needs, name, other)} == reached


def test_long_chains_need_no_recursion():
    needs = {str(i): [str(i - 1)] if i else [] for i in range(20_000)}
    assert find_cycle(needs) == []
    assert is_upstream(needs, "19999", "0")
    assert find_cycle({**needs, "0": ["19999"]})[0] == "0"


def test_ends_are_what_nothing_else_waits_for():
    needs = {"a": [], "b": ["a"], "c": ["a", "outside"]}
    assert ends_of(needs, ["a", "b", "c"]) == ("b", "c")


@given(NEEDS)
def test_a_wave_comes_one_after_the_latest_need(needs):
    if find_cycle(needs):
        return
    waves = waves_of({**needs, "g": ["outside"]})
    assert waves.pop("g") == 1
    assert waves == {n: 1 + max((waves[m] for m in needs[n]), default=0) for n in needs}
