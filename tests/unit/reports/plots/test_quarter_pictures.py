"""The pictures of a quarter: what they say, in every width and language."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from drorch.reports.language import language
from drorch.reports.plots.coverage import Coverage, Practice, Tier, coverage
from drorch.reports.plots.heatmap import Age, Copies, HeatMap, age_of, heat_map, worst_of
from drorch.reports.plots.library import text_width
from drorch.reports.plots.picture import NARROW, PAPER, WIDE
from drorch.reports.plots.ticks import time_ticks
from drorch.reports.plots.trend import Point, Trend, trend
from tests.unit.reports.plots.drawings import holds_up, places, texts

WIDTHS = pytest.mark.parametrize("width", [WIDE, PAPER, NARROW])
CODES = pytest.mark.parametrize("code", ["en", "fr"])
HOUR = 3600.0
DAYS = tuple(date(2026, 10, 1) + timedelta(days=n) for n in range(92))
POINTS = (
    Point("2025Q4", 1 * HOUR, 1.5 * HOUR, 2 * HOUR, drills=2),
    Point("2026Q1", None, None, None),
    Point("2026Q2", None, None, 2 * HOUR, drills=1, failed=1),
    Point("2026Q3", 1 * HOUR, 1 * HOUR, 1 * HOUR, drills=1),
    Point("2026Q4", 0.5 * HOUR, 1.5 * HOUR, 1 * HOUR, drills=3, failed=1),
)


@CODES
@WIDTHS
def test_the_trend_tells_each_quarter_and_what_was_promised(code: str, width: int) -> None:
    said = language(code)
    picture = trend(Trend("ehr · RTA", "d", POINTS), said, width)
    shown = texts(picture)
    assert {"2025Q4", "2026Q2", "2026Q4"} <= set(shown) or width == NARROW
    assert "2026Q4" in shown
    assert [t for t in shown if t.startswith("n=")] == ["n=2", "n=0", "n=1", "n=1", "n=3"]
    assert said.duration(timedelta(hours=1.5)) in shown
    assert {"–", "✕"} <= set(shown)
    for word in ("promised", "measured, from best to worst", "the worst missed the promise"):
        assert said.say(word) in shown
    holds_up(picture)
    assert all(0 <= x <= width and 0 <= y <= picture.height for x, y in places(picture))


def test_long_words_at_its_axis_have_room() -> None:
    point = Point("2026Q4", 90 * 60.0, 100 * 60.0, 60 * 60.0, drills=1)
    picture = trend(Trend("x", "d", (point,)), language("fr"), NARROW)
    words = language("fr").duration(timedelta(minutes=90))
    at = places(picture)[texts(picture).index(words)]
    assert at[0] - text_width(words) >= 4


def test_a_trend_without_any_measure_is_still_drawn() -> None:
    picture = trend(Trend("x", "d", (Point("2026Q4", None, None, None),)), language("en"))
    assert "– no drill" in texts(picture)
    assert "promised" not in texts(picture)


@pytest.mark.parametrize(
    ("worst", "rpo", "age"),
    [
        (None, HOUR, Age.NOTHING),
        (5.0, None, Age.UNPROMISED),
        (0.0, HOUR, Age.KEPT),
        (HOUR, HOUR, Age.KEPT),
        (HOUR + 1, HOUR, Age.OVER),
        (4 * HOUR, HOUR, Age.OVER),
        (4 * HOUR + 1, HOUR, Age.FAR_OVER),
    ],
)
def test_a_day_is_judged_by_its_worst_age(worst: float | None, rpo: float | None, age: Age) -> None:
    assert age_of(worst, rpo) is age


def test_of_several_copies_the_worst_stands_for_all_and_none_yet_for_nothing() -> None:
    assert worst_of([Age.KEPT, Age.OVER, Age.NOTHING]) is Age.OVER
    assert worst_of([Age.NOTHING, Age.KEPT]) is Age.KEPT
    assert worst_of([Age.NOTHING]) is Age.NOTHING


@CODES
@WIDTHS
def test_the_heat_map_names_its_copies_months_and_signs(code: str, width: int) -> None:
    lines = (
        Copies("ehr · mtl", (Age.KEPT,) * 40 + (Age.OVER,) * 2 + (Age.KEPT,) * 50),
        Copies("ehr · tor", (Age.NOTHING,) * 45 + (Age.KEPT,) * 40 + (Age.FAR_OVER,) * 7),
        Copies("niveau 2 : 300 autres copies d'ailleurs", (Age.UNPROMISED,) * 92, heading=True),
    )
    picture = heat_map(HeatMap("ages", "d", DAYS, lines), language(code), width)
    shown = texts(picture)
    for month in {"en": ("October", "December"), "fr": ("Octobre", "Décembre")}[code]:
        assert month in shown
    assert {"ehr · mtl", "ehr · tor"} <= set(shown)
    for word in ("within its RPO", "over its RPO", "over four times its RPO", "no RPO is promised"):
        assert language(code).say(word) in shown
    holds_up(picture)
    assert all(0 <= x <= width and 0 <= y <= picture.height for x, y in places(picture))


def test_a_day_over_its_rpo_differs_by_its_hatch_too() -> None:
    def hatches(age: Age) -> int:
        lines = (Copies("x", (age,) * 92),)
        return heat_map(HeatMap("t", "d", DAYS, lines), language("en")).drawing.count("<pattern")

    assert hatches(Age.OVER) == 1
    assert hatches(Age.KEPT) == 0


@CODES
@WIDTHS
def test_coverage_counts_the_services_of_each_tier(code: str, width: int) -> None:
    tiers = (
        Tier("Tier 0", {Practice.DRILLED: 3, Practice.BEFORE: 1}),
        Tier("Tier 1", {Practice.NEVER: 2, Practice.NO_RUNBOOK: 5}),
        Tier("Tier 2", {}),
    )
    picture = coverage(Coverage("c", "d", tiers), language(code), width)
    shown = texts(picture)
    assert [t for t in shown if t.isdigit()] == ["3", "1", "2", "5"]
    for word in ("drilled this quarter", "never drilled", "no runbook: cannot be drilled"):
        assert language(code).say(word) in shown
    holds_up(picture)


@pytest.mark.parametrize("length", [0.4, 3, 59, 61, 3599, 7200, 90_000, 40 * 86_400])
@pytest.mark.parametrize("most", [4, 7])
def test_an_axis_has_few_round_marks_at_equal_steps(length: float, most: int) -> None:
    marks = list(time_ticks(0, length, most))
    assert marks[0] == 0
    assert 2 <= len(marks) <= most + 1
    steps = {round(b - a, 6) for a, b in pairwise(marks)}
    assert len(steps) == 1


def test_an_axis_that_begins_before_its_zero_has_marks_from_zero_on() -> None:
    assert list(time_ticks(-30, 60, 4)) == [0, 30, 60]
