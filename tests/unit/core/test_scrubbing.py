"""What is proven when: the arithmetic of scrubbing, held against a repository that changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drorch.core.facts import Proven, Scrubbed
from drorch.core.scrubbing import (
    LEAST,
    PARTS,
    Hashed,
    Turn,
    advanced,
    daily_budget,
    doubtful,
    overdue_since,
    part_of,
    size_of,
    spent_on,
    standing,
    turns,
    with_damage,
    without_damage,
)

DAWN = datetime(2026, 11, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def proven(part, **more):
    return Proven("ehr", "qc", part, **({"objects": 1, "bytes": 10} | more))


def hashed(part, through="", *, after="", damaged=(), objects=1, size=10):
    return Hashed(Turn(part, after), through, not through, objects, size, tuple(damaged))


def step(before, piece, day=0):
    return advanced(before, piece, dataset="ehr", region="qc", began=DAWN + day * DAY)


def test_a_repository_has_259_parts_and_every_object_lies_in_one():
    assert len(PARTS) == len(set(PARTS)) == 259
    assert part_of("data/4f/4f" + "0" * 62) == "data/4f"
    assert part_of("index/" + "0" * 64) == "index"
    assert part_of("config") == "config"


def test_what_was_never_hashed_comes_first_keys_snapshots_and_index_before_data():
    assert [turn.part for turn in turns([])][:4] == ["keys", "snapshots", "index", "data/00"]
    old, new = proven("data/00", since=DAWN), proven("keys", since=DAWN + DAY)
    order = [turn.part for turn in turns([new, old])]
    assert order[-2:] == ["data/00", "keys"]
    assert sorted(order) == sorted(PARTS)


def test_a_turn_that_was_begun_is_continued_first_where_it_ended():
    begun = proven("data/80", through="data/80/80aa", began=DAWN)
    assert turns([begun])[0] == Turn("data/80", "data/80/80aa")
    again = proven("data/80", through="data/80/80aa", began=DAWN + DAY, since=DAWN)
    others = [proven(part, since=DAWN + DAY) for part in PARTS if part != "data/80"]
    assert turns([*others, again])[0] == Turn("data/80", "data/80/80aa")


def test_a_proof_is_as_old_as_the_first_day_of_its_turn():
    first = step(None, hashed("index", "index/5", objects=5, size=50), day=0)
    assert (first.began, first.since, first.through) == (DAWN, None, "index/5")
    second = step(first, hashed("index", after="index/5", objects=3, size=30), day=2)
    assert (second.began, second.since, second.through) == (None, DAWN, "")
    assert (second.objects, second.bytes) == (8, 80)
    third = step(second, hashed("index", "index/2"), day=30)
    assert (third.since, third.began) == (DAWN, DAWN + 30 * DAY)
    assert third.objects == 1


def test_damage_stands_until_the_object_is_hashed_again():
    found = step(None, hashed("index", damaged=["index/1", "index/7"]))
    assert found.damaged == ("index/1", "index/7")
    part_way = step(found, hashed("index", "index/5"), day=1)
    assert part_way.damaged == ("index/7",)
    assert step(part_way, hashed("index", after="index/5"), day=2).damaged == ()
    beyond = step(found, hashed("index", "index/5", damaged=["index/7"]), day=1)
    assert beyond.damaged == ("index/7",)


def test_damage_that_others_find_or_heal_leaves_the_proof_as_old_as_it_is():
    known = proven("data/4f", since=DAWN, damaged=("data/4f/a",))
    more = with_damage(known, "data/4f", ["data/4f/b"], dataset="ehr", region="qc")
    assert (more.damaged, more.since) == (("data/4f/a", "data/4f/b"), DAWN)
    assert without_damage(more, ["data/4f/a", "data/4f/b"]) == proven("data/4f", since=DAWN)
    new = with_damage(None, "data/4f", ["data/4f/b"], dataset="ehr", region="qc")
    assert (new.damaged, new.since, new.objects) == (("data/4f/b",), None, 0)


def test_a_size_is_told_once_every_part_was_proven():
    assert size_of([]) is None
    known = [proven(part, since=DAWN, bytes=10) for part in PARTS]
    assert size_of(known[1:]) is None
    assert size_of(known) == 2590
    assert size_of([*known[1:], proven(PARTS[0], began=DAWN, bytes=1)]) is None
    assert size_of([*known[1:], proven(PARTS[0], began=DAWN, since=DAWN, bytes=1)]) == 2590
    assert size_of([proven(part, began=DAWN, since=DAWN) for part in PARTS]) == 0


def test_a_days_budget_is_a_share_with_a_margin_and_never_next_to_nothing():
    assert daily_budget(3000 << 30, timedelta(days=30)) == 125 << 30
    assert daily_budget(0, timedelta(days=30)) == LEAST
    assert daily_budget(1 << 40, timedelta(hours=1)) == 5 << 38


def test_what_was_spent_yesterday_is_not_counted():
    known = Scrubbed("ehr", "qc", "2026-11-23", 7, DAWN)
    assert spent_on("2026-11-23", known) == 7
    assert spent_on("2026-11-24", known) == spent_on("2026-11-23", None) == 0


def test_a_region_stands_by_its_oldest_part():
    now = DAWN + 40 * DAY
    fresh = [proven(part, since=now - DAY) for part in PARTS[1:]]
    found = standing(fresh, timedelta(days=30), now)
    assert (found.oldest, found.share) == (None, 258 / 259)
    found = standing([proven(PARTS[0], since=DAWN), *fresh], timedelta(days=30), now)
    assert (found.oldest, found.share) == (DAWN, 258 / 259)
    found = standing([proven(PARTS[0], since=DAWN), *fresh], None, now)
    assert found.share == 1
    assert standing([], None, now).share == 0


def test_a_config_does_not_count_as_a_part_but_its_damage_does():
    found = standing([proven("config", since=DAWN, damaged=("config",))], None, DAWN)
    assert (found.share, found.damaged) == (0, ("config",))


def test_overdue_counts_from_the_oldest_proof_else_the_first_scrub_else_the_first_snapshot():
    age = timedelta(days=30)
    never = standing([], age, DAWN)
    assert overdue_since(never, None, age, DAWN) == DAWN + DAY
    assert overdue_since(never, None, timedelta(hours=1), DAWN) == DAWN + timedelta(hours=1)
    begun = Scrubbed("ehr", "qc", "2026-11-03", 7, DAWN + 2 * DAY)
    assert overdue_since(never, begun, age, DAWN) == DAWN + 32 * DAY
    all_of_it = standing([proven(part, since=DAWN + DAY) for part in PARTS], age, DAWN)
    assert overdue_since(all_of_it, begun, age, DAWN) == DAWN + 31 * DAY


@pytest.mark.parametrize(
    ("ours", "theirs", "doubted"),
    [
        (b"a", [], False),
        (b"a", [b"a"], False),
        (b"a", [b"a", b"b"], False),
        (b"b", [b"a", b"a"], True),
        (b"b", [b"a"], True),
        (None, [], True),
        (None, [b"a"], True),
    ],
)
def test_a_config_is_doubted_unless_most_mirrors_agree(ours, theirs, doubted):
    assert doubtful(ours, theirs) is doubted


class Repository:
    """A model: names and sizes, when each object was last hashed, when it came."""

    def __init__(self):
        self.sizes: dict[str, int] = {}
        self.came: dict[str, datetime] = {}
        self.hashed: dict[str, datetime] = {}
        self.proofs: dict[str, Proven] = {}

    def add(self, name, size, now):
        self.sizes.setdefault(name, size)
        self.came.setdefault(name, now)

    def remove(self, name):
        for kept in (self.sizes, self.came, self.hashed):
            kept.pop(name, None)

    def scrub(self, budget, now):
        """What storage.scrub does, without bytes."""
        spent = 0
        parts: dict[str, list[str]] = {}
        for name in sorted(self.sizes):
            parts.setdefault(part_of(name), []).append(name)
        for turn in turns(self.proofs.values()):
            names = [n for n in parts.get(turn.part, []) if n > turn.after]
            done = []
            for name in names:
                if spent and spent + self.sizes[name] > budget:
                    break
                spent += self.sizes[name]
                self.hashed[name] = now
                done.append(name)
            whole = done == names
            through = "" if whole else (done or [turn.after])[-1]
            if done or whole:
                piece = Hashed(
                    turn, through, whole, len(done), sum(self.sizes[n] for n in done), ()
                )
                self.proofs[turn.part] = advanced(
                    self.proofs.get(turn.part), piece, dataset="ehr", region="qc", began=now
                )
            if not whole:
                return


NAMES = st.builds(lambda part, n: f"{part}/{n:03d}", st.sampled_from(PARTS[:6]), st.integers(0, 40))
DAYS = st.lists(
    st.tuples(
        st.lists(st.tuples(NAMES, st.integers(1, 50)), max_size=12),
        st.lists(NAMES, max_size=6),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=25,
)


@given(DAYS)
@settings(deadline=None)
def test_whatever_comes_and_goes_no_object_is_older_than_its_parts_proof(days):
    repository = Repository()
    now = DAWN
    for coming, going, budget in days:
        for name, size in coming:
            repository.add(name, size, now)
        for name in going:
            repository.remove(name)
        now += DAY
        repository.scrub(budget, now)
        for name in repository.sizes:
            proof = repository.proofs.get(part_of(name))
            if proof is not None and proof.since is not None:
                known = repository.hashed.get(name, repository.came[name] + DAY)
                assert known >= min(proof.since, repository.came[name] + DAY)


@given(st.lists(st.tuples(NAMES, st.integers(1, 50)), min_size=1, max_size=120), st.integers(3, 40))
@settings(deadline=None)
def test_with_its_budget_every_day_every_object_is_proven_within_the_age(objects, days):
    repository = Repository()
    for name, size in objects:
        repository.add(name, size, DAWN)
    largest = max(repository.sizes.values())
    budget = sum(repository.sizes.values()) / days + 2 * largest
    now = DAWN
    for _ in range(3 * days):
        now += DAY
        repository.scrub(budget, now)
    assert min(repository.hashed.get(n, DAWN) for n in repository.sizes) >= now - days * DAY
    assert all(now - p.since <= 2 * days * DAY for p in repository.proofs.values() if p.since)
