"""The parts of a report: figures, what is told of many steps, and the timeline's geometry."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from drorch.core.names import Phase, Verdict
from drorch.core.runbook import Until
from drorch.reports import figures
from drorch.reports.afteraction import course
from drorch.reports.afteraction.picture import beyond, pictured
from drorch.reports.afteraction.summary import headline
from drorch.reports.condense import by_phase
from drorch.reports.language import language
from drorch.reports.pen import Pen
from drorch.reports.plots.bars import Bar
from drorch.reports.plots.timeline import Timeline
from drorch.reports.run import ReportFormat, render_run
from drorch.reports.view import view
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
)

EN, FR = (Pen(language(code)) for code in ("en", "fr"))


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (None, "–", "–"),
        (0, "0 sec", "0\u202fs"),
        (0.02, "20 ms", "20\u202fms"),
        (41.24, "41.2 sec", "41,2\u202fs"),
        (185, "3 min 5 sec", "3\xa0min 5\u202fs"),
    ],
)
def test_durations(seconds: float | None, english: str, french: str) -> None:
    assert (EN.duration(seconds), FR.duration(seconds)) == (english, french)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0, "+0 sec"), (8.3, "+8.3 sec"), (-95.0, "−1 min 35 sec")]
)
def test_offsets(seconds: float | None, text: str) -> None:
    assert EN.offset(seconds) == text


@pytest.mark.parametrize(
    ("count", "english", "french"),
    [
        (None, "–", "–"),
        (0, "0 bytes", "0\xa0octets"),
        (1023, "1,023 bytes", "1\u202f023\xa0octets"),
        (1024, "1 KiB", "1\xa0Kio"),
        (829_422_000, "791 MiB", "791\xa0Mio"),
    ],
)
def test_sizes(count: int | None, english: str, french: str) -> None:
    assert (EN.size(count), FR.size(count)) == (english, french)


def test_times_of_day_are_the_organizations() -> None:
    at = "2026-11-23T03:00:00Z"
    pen = Pen(language("fr"), "America/Toronto", at)
    assert pen.moment(at) == "22 novembre 2026, 22:00:00 (America/Toronto)"
    assert pen.utc(at) == "2026-11-23 03:00:00 UTC"
    assert pen.clock(at) == "22:00:00"
    assert pen.clock("2026-11-23T05:00:01Z") == "2026-11-23 00:00:01"
    assert Pen(language("en"), "Nowhere/Atall").moment(at) == "23 November 2026, 03:00:00 (UTC)"
    assert pen.moment(None) == pen.clock(None) == pen.utc(None) == "–"


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
    told = dict(figures.values(outputs, EN))
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
    assert list(dict(figures.values(outputs, EN, 2))) == ["snapshot", "whole"]


def drawn(document: dict[str, Any]) -> Timeline:
    found = pictured(document, EN)
    assert found is not None
    return found


def bars(document: dict[str, Any], label: str) -> list[Bar]:
    (line,) = [one for one in drawn(document).lines if one.label == label]
    return [stretch.bar for stretch in line.stretches]


@pytest.mark.parametrize("name", TALES)
def test_every_bar_lies_on_the_line_of_time(name: str) -> None:
    found = drawn(document_of(TALES[name]()))
    for line in found.lines:
        for one in line.stretches:
            assert found.begin <= one.begin <= one.end <= found.end + 0.001


def test_attempts_and_waits_are_bars_of_their_own() -> None:
    document = document_of(passed_drill())
    assert bars(document, "restore-database") == [Bar.FAILED, Bar.WAIT, Bar.PASSED]
    assert bars(document, "go-ahead") == []


def test_lost_attempts_and_people_are_bars() -> None:
    document = document_of(taken_over_failover())
    assert bars(document, "start-ehr") == [Bar.LOST, Bar.PERSON]
    assert bars(document, "go-ahead") == [Bar.PERSON]


def test_what_is_still_open_reaches_to_now() -> None:
    found = drawn(document_of(waiting_failover()))
    (line,) = [one for one in found.lines if one.label == "go-ahead"]
    assert line.stretches[0].end == found.end == 20.0


def test_the_rto_is_drawn_where_it_is_in_range() -> None:
    late, early = document_of(late_drill()), document_of(passed_drill())
    assert drawn(late).objective == (late["window"]["from_s"] + 30, "RTO 30 sec")
    assert beyond(late, EN) == ""
    assert drawn(early).objective is None
    assert beyond(early, EN) == "The RTO of 1 hr lies beyond the right edge."


def test_a_check_looked_at_very_often_is_one_bar() -> None:
    until = Until(timedelta(seconds=60), timedelta(milliseconds=100))
    tale = Tale(plan(step("look", Phase.VERIFY, check=True, until=until)))
    for n in range(60):
        verdict = Verdict.PASS if n == 59 else Verdict.FAIL
        tale.start(n * 0.1, "look").end(n * 0.1 + 0.01, "look", verdict, message="no")
        if n < 59:
            tale.retry(n * 0.1 + 0.01, "look", 0.09)
    document = document_of(tale.finish(6.1))
    assert bars(document, "look") == [Bar.PASSED]
    rows = course.attempts(document, EN)
    assert rows is not None
    assert "1–59" in str(rows)


def test_a_run_in_which_nothing_began_has_no_timeline() -> None:
    tale = Tale(plan(step("a"))).skip(0.1, "a").finish(0.2)
    assert pictured(document_of(tale), EN) is None
    assert course.timeline(document_of(tale), EN) is None


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
        ("passed-drill", "good", "Run passed"),
        ("late-drill", "warn", "Passed, but an objective was missed"),
        ("failed-drill", "bad", "Run failed"),
        ("aborted-drill", "idle", "Aborted"),
        ("waiting-failover", "warn", "Waiting for a person"),
        ("backup-copy-owed", "warn", "Run passed, with findings"),
        ("taken-over-failover", "warn", "Run passed, with findings"),
    ],
)
def test_headlines(name: str, tone: str, title: str) -> None:
    said = headline(document_of(TALES[name]()), EN)
    assert (said.tone, said.title) == (tone, title)


def test_a_failure_is_told_in_the_headline() -> None:
    assert "3,981 patients" in headline(document_of(failed_drill()), EN).sentence


def test_a_failed_precondition_is_told_in_the_headline() -> None:
    tale = Tale(plan(step("look", Phase.PRECONDITIONS, check=True), step("act")))
    tale.do(0.1, 0.2, "look", verdict=Verdict.FAIL, message="qc is gone.")
    tale.skip(0.3, "act", "a precondition failed").finish(0.4)
    said = headline(document_of(tale), EN).sentence
    assert "a precondition failed: look: qc is gone)" in said


def test_passed_but_dirty_is_not_all_good() -> None:
    steps = (step("a"), step("sweep", Phase.CLEANUP))
    tale = Tale(plan(*steps)).do(0.1, 0.2, "a")
    tale.do(0.3, 0.4, "sweep", verdict=Verdict.FAIL, message="busy").finish(0.5)
    assert headline(document_of(tale), EN).tone == "warn"


def test_who_is_waited_for_is_told_in_the_headline() -> None:
    assert headline(document_of(waiting_failover()), EN).sentence.endswith("answers: go-ahead.")


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


def test_data_that_an_exercise_left_is_told_and_not_called_clean() -> None:
    document = document_of(passed_drill())
    removal = document["steps"][-1]
    removal["outputs"] = {"removed": [], "left": ["/srv"]}
    removal["attempt_log"][-1]["arguments"] = {"path": "drill"}
    for form, said in (("en", "no step on record removed it"), ("fr", "ne l’a enlevé")):
        text = render_run(document, ReportFormat.MARKDOWN, form).decode()
        assert said in text
        assert "/srv/drill/ehr-db" in text
        assert "Cleanup left nothing" not in text
        assert "n’a rien laissé" not in text
    assert view(document, language("en")).notes[0] == (
        "cleanup",
        "Dirty: something was left behind.",
    )


@pytest.mark.parametrize(
    ("seconds", "promised", "english", "french"),
    [
        (93_600, 93_600, "1 day 2 hr", "1\u202fj 2\u202fh"),
        (95_397.764, 93_600, "1 day 2 hr 29 min", "1\u202fj 2\u202fh 29\u00a0min"),
        (93_604, 93_600, "1 day 2 hr 4 sec", "1\u202fj 2\u202fh 4\u202fs"),
        (93_600.4, 93_600, "more than 1 day 2 hr", "plus de 1\u202fj 2\u202fh"),
        (100_000, 93_600, "1 day 3 hr", "1\u202fj 3\u202fh"),
        (90_001, 93_600, "1 day 1 hr", "1\u202fj 1\u202fh"),
    ],
)
def test_what_was_longer_than_promised_never_looks_the_same(
    seconds: float, promised: float, english: str, french: str
) -> None:
    length, promise = timedelta(seconds=seconds), timedelta(seconds=promised)
    assert EN.language.against(length, promise) == english
    assert FR.language.against(length, promise) == french


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.9997, "1 sec"), (59.96, "1 min"), (59.94, "59.9 sec"), (4258.5, "1 hr 10 min")],
)
def test_units_do_not_overflow(seconds: float, text: str) -> None:
    assert EN.duration(seconds) == text
