"""The run's timeline as the plotting room takes it: attempts and waits as bars on one line of time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from drorch.reports import words
from drorch.reports.condense import PhaseSteps, Rest, Step, by_phase
from drorch.reports.pen import Pen
from drorch.reports.plots.bars import Bar
from drorch.reports.plots.timeline import Line, Stretch, Timeline

Document: TypeAlias = Mapping[str, Any]

#: A step looked at oftener than this is drawn as one bar.
_BARS_OF_ONE_STEP = 24

_BARS: Mapping[str | None, Bar] = {
    "pass": Bar.PASSED,
    "fail": Bar.FAILED,
    "error": Bar.FAILED,
    "lost": Bar.LOST,
    None: Bar.RUNNING,
}


def pictured(document: Document, pen: Pen) -> Timeline | None:
    """The timeline, or None if nothing began."""
    begins = [s["from_s"] for s in document["steps"] if s["from_s"] is not None]
    if not begins:
        return None
    window = document["window"]
    zero = window["from_s"] if window else 0.0
    begin = min(0.0, zero, *begins)
    end = max(document["elapsed_s"], begin + 0.001)
    target = document["objectives"]["rto"]["target_s"]
    objective = None
    if window and target is not None and zero + target <= end:
        objective = (zero + target, f"RTO {pen.duration(target)}")
    return Timeline(
        title=pen.say("Timeline of the run’s steps"),
        description=pen.say(
            "One line for each step: bars are attempts, hatched bars are waits. The tables of steps "
            "and attempts in this report hold the same times in figures."
        ),
        lines=tuple(_lines(by_phase(document["steps"]), end, pen)),
        begin=begin,
        end=end,
        zero=zero,
        window=(window["from_s"], window["to_s"]) if window else None,
        objective=objective,
    )


def beyond(document: Document, pen: Pen) -> str:
    """A sentence on an objective that the picture has no room for; else empty."""
    window, target = document["window"], document["objectives"]["rto"]["target_s"]
    if not window or target is None or window["from_s"] + target <= document["elapsed_s"]:
        return ""
    return pen.say("The RTO of {target} lies beyond the right edge.", target=pen.duration(target))


def _lines(phases: Sequence[PhaseSteps], end: float, pen: Pen) -> Iterator[Line]:
    for phase in phases:
        yield Line(pen.say(words.PHASES[phase.phase]), heading=True)
        for step in phase.steps:
            yield _line(step, end, pen)
        if phase.rest is not None:
            yield _rest_line(phase.rest, pen)


def _line(step: Step, end: float, pen: Pen) -> Line:
    stretches = tuple(_stretches(step, end, pen))
    took = pen.duration(step["elapsed_s"]) if stretches else ""
    skipped = step["status"] == "skipped"
    return Line(
        label=step["step"],
        critical=step["critical"],
        stretches=stretches,
        slack=step["slack_s"] or 0.0,
        took=pen.say(words.STATUSES["skipped"]) if skipped else took,
    )


def _rest_line(rest: Rest, pen: Pen) -> Line:
    label = pen.say_many("{count} further step", "{count} further steps", rest.count)
    if rest.begin is None or rest.end is None:
        return Line(label)
    longest = pen.duration(rest.longest)
    tip = pen.say("the longest took {length}", length=longest)
    return Line(
        label, stretches=(Stretch(Bar.REST, rest.begin, rest.end, tip),), took=f"≤ {longest}"
    )


def _stretches(step: Step, end: float, pen: Pen) -> Iterator[Stretch]:
    attempts = step["attempt_log"]
    if len(attempts) > _BARS_OF_ONE_STEP:
        yield _merged(step, end, pen)
        return
    for number, attempt in enumerate(attempts):
        ended = attempt["to_s"] if attempt["to_s"] is not None else end
        yield Stretch(_BARS[attempt["verdict"]], attempt["from_s"], ended, _tip(attempt, pen))
        if attempt["wait_s"] is not None:
            more = number + 1 < len(attempts)
            until = attempts[number + 1]["from_s"] if more else step["to_s"]
            length = pen.duration(attempt["wait_s"])
            tip = pen.say("waited {length} before trying again", length=length)
            yield Stretch(Bar.WAIT, ended, end if until is None else until, tip)
    for question in step["questions"]:
        ended = question["to_s"] if question["to_s"] is not None else end
        tip = pen.say("waited for a person: {prompt}", prompt=question["prompt"])
        yield Stretch(Bar.PERSON, question["from_s"], ended, tip)


def _merged(step: Step, end: float, pen: Pen) -> Stretch:
    attempts = step["attempt_log"]
    ended = attempts[-1]["to_s"]
    tip = pen.say_many(
        "{count} attempt; the last: {last}",
        "{count} attempts; the last: {last}",
        len(attempts),
        last=_tip(attempts[-1], pen),
    )
    bar = _BARS[attempts[-1]["verdict"]]
    return Stretch(bar, attempts[0]["from_s"], end if ended is None else ended, tip)


def _tip(attempt: Mapping[str, Any], pen: Pen) -> str:
    spent = attempt["elapsed_s"]
    values = {
        "number": attempt["attempt"],
        "verdict": pen.say(words.VERDICTS[attempt["verdict"]]),
        "length": pen.duration(spent),
    }
    said = pen.say("attempt {number} {verdict}", **values)
    if spent is not None:
        said = pen.say("attempt {number} {verdict} after {length}", **values)
    if attempt["message"]:
        return pen.say("{what}: {why}", what=said, why=attempt["message"])
    return said
