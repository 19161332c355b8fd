"""Suspicious backups: mass encryption and mass deletion trip, an ordinary life does not."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from drorch.core.guard import FEWEST, Figures, suspicions
from drorch.core.model import Guard

DAWN = datetime(2026, 11, 23, 3, tzinfo=UTC)
MIB = 1 << 20
NONE = Guard()
#: A thousand documents, of which some twenty are worked on between two backups.
USUAL = Figures("a" * 64, DAWN, 1000, 800 * MIB, 20, 12 * MIB)


def life(count=10, usual=USUAL, seed=1):
    """Backups of an ordinary life: a little more each time, never the same."""
    chance = random.Random(seed)
    return [
        replace(
            usual,
            at=DAWN + timedelta(hours=n),
            files=usual.files + 3 * n + chance.randrange(5),
            bytes=usual.bytes + n * MIB + chance.randrange(MIB),
            changed=round(usual.changed * chance.uniform(0.3, 2)),
            added=round(usual.added * chance.uniform(0.3, 2)),
        )
        for n in range(count)
    ]


def test_an_ordinary_backup_is_not_suspicious():
    for seed in range(50):
        *earlier, now = life(11, seed=seed)
        assert suspicions(now, earlier, NONE) == ()


def test_mass_encryption_in_place_is():
    now = replace(USUAL, changed=1000, added=800 * MIB)
    assert suspicions(now, life(), NONE) == ("100 % of its data is new, usually 2 %",)


def test_mass_encryption_under_other_names_is():
    now = replace(USUAL, files=1001, changed=1001, added=801 * MIB)
    assert suspicions(now, life(), NONE) == ("100 % of its data is new, usually 2 %",)


def test_encryption_of_the_beginning_of_every_file_is():
    now = replace(USUAL, changed=1000, added=100 * MIB)
    assert suspicions(now, life(), NONE) == ("100 % of its files were changed, usually 3 %",)


def test_new_times_of_every_file_are_not():
    assert suspicions(replace(USUAL, changed=1000, added=MIB), life(), NONE) == ()


def test_mass_deletion_is():
    now = replace(USUAL, files=100, bytes=80 * MIB, changed=0, added=0)
    assert suspicions(now, life(), NONE) == (
        "it holds 100 files, usually 1014 files",
        "it holds 80.0 MiB, usually 804.6 MiB",
    )


def test_an_empty_source_is():
    now = Figures("b" * 64, DAWN, 0, 0, 0, 0)
    assert suspicions(now, life(), NONE)[0] == "it holds 0 files, usually 1014 files"


def test_a_first_backup_is_not_though_everything_in_it_is_new():
    first = Figures("b" * 64, DAWN, 1000, 800 * MIB, 1000, 800 * MIB)
    assert suspicions(first, [], NONE) == ()
    assert suspicions(first, [], Guard(max_change=0.4)) == ()
    assert suspicions(first, [], Guard(min_files=2000)) == (
        "it holds 1000 files, fewer than 2000 (min_files)",
    )


def test_with_little_history_only_the_rules_count():
    now = replace(USUAL, files=1, changed=1000, added=800 * MIB)
    earlier = life(FEWEST - 1)
    assert suspicions(now, earlier, NONE) == ()
    assert suspicions(now, earlier, Guard(10, 0.4)) == (
        "it holds 1 file, fewer than 10 (min_files)",
        "100 % of its data is new, more than 40 % (max_change)",
    )


def test_a_dump_that_is_new_every_time_is_usual_and_a_small_one_trips_nothing():
    dump = Figures("a" * 64, DAWN, 1, 500 * MIB, 1, 480 * MIB)
    assert suspicions(dump, [dump] * 9, NONE) == ()
    assert suspicions(replace(dump, bytes=90 * MIB), [dump] * 9, NONE) == (
        "it holds 90.0 MiB, usually 500.0 MiB",
    )
    small = Figures("a" * 64, DAWN, 1, 12, 1, 700)
    assert suspicions(replace(small, bytes=3), [small] * 9, Guard(max_change=0.4)) == ()


def test_what_was_suspicious_is_no_measure_until_it_is_accepted():
    deleted = replace(USUAL, files=100, bytes=80 * MIB)
    tripped = [replace(deleted, tripped=True)] * 9
    assert suspicions(deleted, [*life(), *tripped], NONE) != ()
    assert suspicions(deleted, [replace(deleted)], NONE) == ()


figures = st.builds(
    Figures,
    st.just("c" * 64),
    st.just(DAWN),
    st.integers(0, 10**7),
    st.integers(0, 10**13),
    st.integers(0, 10**7),
    st.integers(0, 10**13),
)


@given(figures, st.lists(figures, max_size=20))
def test_any_figures_get_an_answer_in_whole_sentences(now: Figures, earlier: list[Figures]) -> None:
    for why in suspicions(now, earlier, Guard(3, 0.5)):
        assert why.startswith("it holds") or "% of its" in why


@given(figures, st.integers(FEWEST, 20))
def test_a_backup_like_all_the_others_is_never_suspicious(now: Figures, count: int) -> None:
    assert suspicions(now, [now] * count, NONE) == ()


@given(st.integers(10, 10**6), st.floats(0, 0.65), st.integers(FEWEST, 20))
def test_losing_more_than_a_third_of_a_steady_dataset_always_trips(
    files: int, left: float, count: int
) -> None:
    steady = Figures("a" * 64, DAWN, files, files * MIB, 0, 0)
    now = replace(steady, files=int(files * left), bytes=int(files * left) * MIB)
    assert suspicions(now, [steady] * count, NONE) != ()
