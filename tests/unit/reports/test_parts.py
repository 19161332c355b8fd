"""The parts of a report: figures, what is told of many steps, and the timeline's geometry."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drorch.core.names import Phase, Verdict
from drorch.core.runbook import Until
from drorch.reports import figures
from drorch.reports.condense import by_phase
from drorch.reports.gantt import LINES_ON_A_SHEET, Chart, chart
from drorch.reports.view import headline, view
from tests.fakes.runs import (
    TALES,
    Tale,
    document_of,
    failed_drill,
    late_drill,
    passed_drill,
    plan,
    step,
    taken_over_failover,
    waiting_failover,
    wide_drill,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0, "0s"), (0.02, "20ms"), (5.0, "5s"), (41.24, "41.2s"), (185, "3m 5s")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0, "+0s"), (8.3, "+8.3s"), (-95.0, "−1m 35s")]
)
def test_offsets(seconds: float | None, text: str) -> None:
    assert figures.offset(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, "–"),
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (829_422_000, "791.0 MiB"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert figures.size(count) == text


def test_local_time_is_the_organizations() -> None:
    at = "2026-11-23T03:00:00Z"
    assert figures.local(at, "America/Toronto") == "2026-11-22 22:00:00 America/Toronto"
    assert figures.local(at, "UTC") == ""
    assert figures.local(at, "Nowhere/Atall") == ""
    assert figures.local(None, "America/Toronto") == ""


def test_outputs_are_told_briefly() -> None:
    outputs = {
        "snapshot": "1a2b" * 16,
        "whole": True,
        "files": 12_000,
        "ratio": 0.5,
        "by": ["ann", "bob"],
        "rows": [[1], [2]],
        "nested": {"a": 1},
        "log": "x" * 200,
    }
    told = dict(figures.values(outputs))
    assert told["snapshot"] == "1a2b1a2b…"
    assert (told["whole"], told["files"], told["ratio"], told["by"]) == (
        "yes",
        "12,000",
        "0.5",
        "ann, bob",
    )
    assert len(told["log"]) == 80
    assert "nested" not in told
    assert "rows" not in told
    assert list(dict(figures.values(outputs, 2))) == ["snapshot", "whole"]


def charted(document: dict[str, Any]) -> Chart:
    made = chart(document, by_phase(document["steps"]))
    assert made is not None
    return made


@pytest.mark.parametrize("name", TALES)
def test_every_bar_lies_on_the_chart(name: str) -> None:
    for sheet in charted(document_of(TALES[name]())).sheets:
        for line in sheet:
            for bar in line.bars:
                assert 0 <= bar.left <= 1
                assert bar.width >= 0
                assert bar.left + bar.width <= 1.0001


def test_attempts_and_waits_are_bars_of_their_own() -> None:
    lines = {line.label: line for line in charted(document_of(passed_drill())).sheets[0]}
    database = lines["restore-database"]
    assert [b.kind for b in database.bars] == ["error", "wait", "pass"]
    assert database.critical
    assert "qc did not answer" in database.bars[0].tip
    assert lines["go-ahead"].bars == ()


def test_lost_attempts_and_people_are_bars() -> None:
    lines = {line.label: line for line in charted(document_of(taken_over_failover())).sheets[0]}
    assert [b.kind for b in lines["start-ehr"].bars] == ["lost", "person"]
    assert [b.kind for b in lines["go-ahead"].bars] == ["person"]


def test_what_is_still_open_reaches_to_now() -> None:
    lines = {line.label: line for line in charted(document_of(waiting_failover())).sheets[0]}
    assert lines["go-ahead"].end == pytest.approx(1.0)


def test_the_rto_is_drawn_where_it_is_in_range() -> None:
    late = charted(document_of(late_drill()))
    assert late.objective is not None
    assert late.objective.label == "RTO 30s"
    assert late.objective.place == pytest.approx(30.33 / 44.61)
    early = charted(document_of(passed_drill()))
    assert (early.objective, early.beyond) == (None, "1h")


def test_the_axis_has_a_few_round_marks_from_the_start_of_the_clock() -> None:
    marks = charted(document_of(taken_over_failover())).ticks
    assert [m.label for m in marks] == ["0s", "5m", "10m", "15m", "20m"]
    assert marks[0].place == 0


@pytest.mark.parametrize("length", [0.01, 0.7, 3, 59, 61, 5000, 90_000, 2_000_000])
def test_the_axis_is_never_crowded(length: float) -> None:
    tale = Tale(plan(step("a"))).do(0.0, length, "a").finish(length)
    marks = charted(document_of(tale)).ticks
    assert 1 <= len(marks) <= 9
    assert len({m.label for m in marks}) == len(marks)


def test_a_check_looked_at_very_often_is_one_bar() -> None:
    looking = Until(timedelta(seconds=600), timedelta(seconds=0.5))
    tale = Tale(plan(step("a"), step("v", Phase.VERIFY, check=True, until=looking)))
    tale.do(0.0, 1.0, "a")
    for n in range(60):
        tale.do(1 + n, 1.5 + n, "v", verdict=Verdict.FAIL, cause="x").retry(1.5 + n, "v", 0.5)
    lines = {line.label: line for line in charted(document_of(tale)).sheets[0]}
    assert [b.kind for b in lines["v"].bars] == ["fail"]
    assert lines["v"].bars[0].tip.startswith("60 attempts")


def test_a_run_in_which_nothing_began_has_no_chart() -> None:
    tale = Tale(plan(step("a"))).skip(0.1, "a", "because").finish(0.2)
    document = document_of(tale)
    assert chart(document, by_phase(document["steps"])) is None
    assert view(document).chart is None


def test_long_timelines_go_on_in_sheets() -> None:
    sheets = charted(document_of(wide_drill(200))).sheets
    assert all(len(s) <= LINES_ON_A_SHEET for s in sheets)
    assert sum(len(s) for s in sheets) == 201


def test_of_many_steps_the_unusual_and_the_critical_are_told() -> None:
    document = document_of(passed_drill())
    (preconditions, steps, *_) = by_phase(document["steps"], limit=4)
    assert [s["step"] for s in steps.steps] == ["restore-database", "start-ehr"]
    assert preconditions.steps == ()
    assert steps.rest is not None
    assert dict(steps.rest.statuses) == {"passed": 1, "skipped": 1}
    assert steps.rest.longest == 8.3


@pytest.mark.parametrize(
    ("name", "tone", "title"),
    [
        ("passed-drill", "good", "Passed"),
        ("late-drill", "warn", "Passed, but an objective was missed"),
        ("failed-drill", "bad", "Failed"),
        ("aborted-drill", "idle", "Aborted"),
        ("waiting-failover", "warn", "Waiting for a person"),
        ("backup-copy-owed", "warn", "Passed, with findings"),
        ("taken-over-failover", "warn", "Passed, with findings"),
    ],
)
def test_headlines(name: str, tone: str, title: str) -> None:
    said = headline(document_of(TALES[name]()))
    assert (said.tone, said.title) == (tone, title)


def test_a_failure_is_told_in_the_headline() -> None:
    assert "3,981 patients" in headline(document_of(failed_drill())).sentence


def test_a_failed_precondition_is_told_in_the_headline() -> None:
    tale = Tale(plan(step("look", Phase.PRECONDITIONS, check=True), step("act")))
    tale.do(0.1, 0.2, "look", verdict=Verdict.FAIL, message="qc is gone.")
    tale.skip(0.3, "act", "a precondition failed").finish(0.4)
    said = headline(document_of(tale)).sentence
    assert "a precondition failed: look: qc is gone)" in said


def test_passed_but_dirty_is_not_all_good() -> None:
    steps = (step("a"), step("sweep", Phase.CLEANUP))
    tale = Tale(plan(*steps)).do(0.1, 0.2, "a")
    tale.do(0.3, 0.4, "sweep", verdict=Verdict.FAIL, message="busy").finish(0.5)
    assert headline(document_of(tale)).tone == "warn"


def test_who_is_waited_for_is_told_in_the_headline() -> None:
    assert headline(document_of(waiting_failover())).sentence.endswith("answers: go-ahead.")


@pytest.mark.parametrize(
    ("parts", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_in_a_sentence(parts: list[str], text: str) -> None:
    assert figures.joined(parts) == text


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


STYLE = Path(figures.__file__).parent / "templates" / "report.css"
THEMES = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme))
    for theme in re.findall(r":root \{(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark", "print"])
def test_every_text_stands_out_from_its_ground(theme: dict[str, str]) -> None:
    for text in ("ink", "dim", "good", "warn", "bad", "idle"):
        for ground in ("paper", "card", "band"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for tone in ("good", "warn", "bad", "idle"):
        assert contrast(theme[tone], theme[f"{tone}-back"]) >= 4.5, tone
        assert contrast(theme["ink"], theme[f"{tone}-back"]) >= 7, tone
    for bar in ("bar", "person", "bad"):
        assert contrast(theme[bar], theme["band"]) >= 3, bar
