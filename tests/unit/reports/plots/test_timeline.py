"""The timeline of a run as a picture: what it says, in every width and language."""

import re

import pytest

from drorch.reports.language import language
from drorch.reports.plots.bars import Bar
from drorch.reports.plots.picture import NARROW, PAPER, WIDE
from drorch.reports.plots.timeline import (
    LINES_ON_A_SHEET,
    Line,
    Stretch,
    Timeline,
    timeline,
)
from tests.unit.reports.plots.drawings import holds_up, places, texts

EVERY_BAR = tuple(Stretch(bar, 100 * n, 100 * n + 90, f"tip {bar}") for n, bar in enumerate(Bar))


def told(*lines: Line, **more: object) -> Timeline:
    return Timeline("Timeline", "Bars are attempts.", lines, 0, 1000, **more)  # type: ignore[arg-type]


def steps(count: int) -> tuple[Line, ...]:
    return tuple(
        Line(f"step-{n}", stretches=(Stretch(Bar.PASSED, n, n + 10, "passed"),), took="10 s")
        for n in range(count)
    )


@pytest.mark.parametrize("width", [WIDE, PAPER, NARROW])
@pytest.mark.parametrize("code", ["en", "fr"])
def test_every_sign_is_in_the_legend_in_words(code: str, width: int) -> None:
    line = Line("restore", critical=True, stretches=EVERY_BAR, slack=200, took="15 min")
    said = language(code).say
    (picture,) = timeline(told(line, window=(50, 900)), language(code), width)
    for word in ("passed", "failed or error", "waiting to try again", "waiting for a person"):
        assert said(word) in texts(picture)
    assert said("◆ on the critical path") in texts(picture)
    assert said("slack: it could have taken so much longer") in texts(picture)
    assert said("the measured time") in texts(picture)
    holds_up(picture)


def test_what_does_not_occur_is_not_in_the_legend() -> None:
    (picture,) = timeline(told(*steps(2)), language("en"))
    assert "passed" in texts(picture)
    assert "failed or error" not in texts(picture)


def test_bars_differ_without_their_colours() -> None:
    plain = {}
    for bar in Bar:
        (picture,) = timeline(told(Line("x", stretches=(Stretch(bar, 0, 900),))), language("en"))
        shapes = re.findall(r'style="fill: (?:#\w+|url\(#(\w+)\))([^"]*)"', picture.drawing)
        plain[bar] = [(bool(hatch), re.sub("#[0-9a-f]{6}", "", rest)) for hatch, rest in shapes]
    hatched = {bar for bar, shapes in plain.items() if any(hatch for hatch, _ in shapes)}
    dashed = {bar for bar, shapes in plain.items() if any("dasharray" in s for _, s in shapes)}
    assert hatched == {Bar.FAILED, Bar.WAIT, Bar.PERSON}
    assert dashed == {Bar.LOST, Bar.RUNNING}


def test_sixty_steps_go_on_in_further_pictures_with_axes_of_their_own() -> None:
    pictures = timeline(told(*steps(60)), language("en"))
    assert len(pictures) == 60 / LINES_ON_A_SHEET
    assert [p.title for p in pictures] == [f"Timeline, part {n} of 3" for n in (1, 2, 3)]
    for number, picture in enumerate(pictures):
        assert f"step-{20 * number}" in texts(picture)
        assert "10 min" in texts(picture)


def test_the_objective_is_drawn_and_named_where_it_is_in_range() -> None:
    inside = told(*steps(1), objective=(500, "RTO 8 min"))
    beyond = told(*steps(1), objective=(5000, "RTO 80 min"))
    assert "RTO 8 min" in texts(timeline(inside, language("en"))[0])
    assert "RTO 80 min" not in texts(timeline(beyond, language("en"))[0])


@pytest.mark.parametrize("width", [WIDE, PAPER, NARROW])
def test_long_names_are_cut_in_the_middle_and_nothing_leaves_the_picture(width: int) -> None:
    lines = (Line("W" * 300, heading=True), Line("restore-" * 40, stretches=EVERY_BAR, took="1 h"))
    (picture,) = timeline(told(*lines), language("en"), width)
    assert any("…" in text for text in texts(picture))
    assert all(0 <= x <= width and 0 <= y <= picture.height for x, y in places(picture))


def test_what_is_pointed_at_says_what_it_is_and_foreign_text_stays_text() -> None:
    nasty = "<script>alert('x')</script> $\\frac{1}{2}$ \x00\ud800 患者"
    line = Line(nasty, stretches=(Stretch(Bar.FAILED, 0, 10, nasty),))
    (picture,) = timeline(told(line), language("en"))
    assert "<script>" not in picture.in_page("p")
    assert "<title>&lt;script&gt;" in picture.drawing
    assert "\\frac" in picture.drawing
    holds_up(picture)
