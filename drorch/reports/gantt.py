"""The timeline: attempts and waits as bars on one line of time.

Knows places as shares of the whole (0 to 1); how wide and how coloured is the template's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drorch.reports import words
from drorch.reports.condense import PhaseSteps, Rest, Step
from drorch.reports.figures import middle_cut
from drorch.reports.pen import Pen

#: A longer timeline goes on below with an axis of its own; two such sheets fit on one page.
LINES_ON_A_SHEET = 20

#: A step looked at oftener than this is drawn as one bar.
_BARS_OF_ONE_STEP = 24

#: Letters of a label that fit beside the bars at the least width.
_ROOM_FOR_LABEL = 34

_TICKS = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14_400,
    43_200,
)
_MOST_TICKS = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """An attempt or a wait. `kind` is a verdict's word, `wait`, `person`, `running` or `rest`."""

    kind: str
    left: float
    width: float
    tip: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a phase's heading, or a step with its bars. `end` is where the last bar ends.

    `short` is the label as far as there is room for it.
    """

    label: str
    short: str = ""
    heading: bool = False
    status: str = ""
    critical: bool = False
    bars: tuple[Bar, ...] = ()
    end: float = 0.0
    elapsed: str = ""
    shaded: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A named place on the axis."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole timeline. `window` is the measured time, `objective` the RTO if it is in range."""

    sheets: tuple[tuple[Line, ...], ...]
    ticks: tuple[Mark, ...]
    window: tuple[float, float] | None
    objective: Mark | None
    beyond: str
    words: Mapping[str, str]


def chart(document: Mapping[str, Any], phases: Sequence[PhaseSteps], pen: Pen) -> Chart | None:
    """The timeline of a run, or None if nothing began."""
    scale = _scale(document)
    if scale is None:
        return None
    lines = tuple(_lines(phases, scale, pen))
    sheets = tuple(lines[n : n + LINES_ON_A_SHEET] for n in range(0, len(lines), LINES_ON_A_SHEET))
    window = document["window"]
    places = (scale.at(window["from_s"]), scale.at(window["to_s"])) if window else None
    target = document["objectives"]["rto"]["target_s"]
    objective, beyond = None, ""
    if window and target is not None:
        place = scale.at(window["from_s"] + target)
        label = f"RTO {pen.duration(target)}"
        objective = Mark(place, label) if place <= 1 else None
        beyond = "" if place <= 1 else _beyond(target, pen)
    return Chart(sheets, tuple(scale.ticks(pen)), places, objective, beyond, _words(pen))


def _beyond(target: float, pen: Pen) -> str:
    return pen.say("The RTO of {target} lies beyond the right edge.", target=pen.duration(target))


def _words(pen: Pen) -> Mapping[str, str]:
    say = pen.say
    return {
        "legend": say("Legend"),
        "pass": say("passed"),
        "crit": say("on the critical path (◆)"),
        "fail": say("failed or error"),
        "lost": say("outcome unknown"),
        "wait": say("waiting to try again"),
        "person": say("waiting for a person"),
        "skipped": say("skipped"),
        "title": say("Timeline of the run’s steps"),
        "part": say("part"),
        "description": say(
            "One line for each step: bars are attempts, hatched bars are waits. The tables of steps "
            "and attempts in this report hold the same times in figures."
        ),
        "how": say(
            "Time counts from where the clock starts; the bar under the axis is the measured time."
        ),
    }


@dataclass(frozen=True, slots=True)
class _Scale:
    """Seconds on the run's line to shares of the width; `zero` is where the clock starts."""

    begin: float
    end: float
    zero: float

    def at(self, second: float) -> float:
        return (second - self.begin) / (self.end - self.begin)

    def bar(self, kind: str, begin: float, end: float, tip: str) -> Bar:
        left = self.at(begin)
        return Bar(kind, left, max(0.0, self.at(end) - left), tip)

    def ticks(self, pen: Pen) -> Iterator[Mark]:
        length = self.end - self.begin
        days = 86_400 * max(1, round(length / _MOST_TICKS / 86_400))
        step = next((t for t in _TICKS if length / t <= _MOST_TICKS), days)
        number = 0
        while self.zero + number * step <= self.end:
            second = number * step
            yield Mark(self.at(self.zero + second), pen.duration(second) if second else "0")
            number += 1


def _scale(document: Mapping[str, Any]) -> _Scale | None:
    begins = [s["from_s"] for s in document["steps"] if s["from_s"] is not None]
    if not begins:
        return None
    window = document["window"]
    zero = window["from_s"] if window else 0.0
    begin = min(0.0, zero, *begins)
    end = max(document["elapsed_s"], begin + 0.001)
    return _Scale(begin, end, zero)


def _lines(phases: Sequence[PhaseSteps], scale: _Scale, pen: Pen) -> Iterator[Line]:
    for number, phase in enumerate(phases):
        shaded = number % 2 == 0
        yield Line(pen.say(words.PHASES[phase.phase]), heading=True, shaded=shaded)
        for step in phase.steps:
            yield _line(step, scale, pen, shaded=shaded)
        if phase.rest is not None:
            yield _rest_line(phase.rest, scale, pen, shaded=shaded)


def _line(step: Step, scale: _Scale, pen: Pen, *, shaded: bool) -> Line:
    bars = tuple(sorted(_bars(step, scale, pen), key=lambda b: b.left))
    return Line(
        label=step["step"],
        short=middle_cut(step["step"], _ROOM_FOR_LABEL),
        status=step["status"],
        critical=step["critical"],
        bars=bars,
        end=max((b.left + b.width for b in bars), default=0.0),
        elapsed=pen.duration(step["elapsed_s"]) if bars else "",
        shaded=shaded,
    )


def _rest_line(rest: Rest, scale: _Scale, pen: Pen, *, shaded: bool) -> Line:
    label = pen.say_many("{count} further step", "{count} further steps", rest.count)
    if rest.begin is None or rest.end is None:
        return Line(label, shaded=shaded)
    longest = pen.duration(rest.longest)
    tip = pen.say("{label}, the longest {length}", label=label, length=longest)
    bar = scale.bar("rest", rest.begin, rest.end, tip)
    return Line(
        label,
        bars=(bar,),
        end=bar.left + bar.width,
        elapsed=f"≤ {longest}",
        shaded=shaded,
    )


def _bars(step: Step, scale: _Scale, pen: Pen) -> Iterator[Bar]:
    attempts = step["attempt_log"]
    if len(attempts) > _BARS_OF_ONE_STEP:
        yield _merged(step, scale, pen)
        return
    for number, attempt in enumerate(attempts):
        ended = attempt["to_s"] if attempt["to_s"] is not None else scale.end
        kind = attempt["verdict"] or "running"
        yield scale.bar(kind, attempt["from_s"], ended, _tip(attempt, pen))
        if attempt["wait_s"] is not None:
            more = number + 1 < len(attempts)
            until = attempts[number + 1]["from_s"] if more else step["to_s"]
            length = pen.duration(attempt["wait_s"])
            tip = pen.say("waited {length} before trying again", length=length)
            yield scale.bar("wait", ended, scale.end if until is None else until, tip)
    for question in step["questions"]:
        ended = question["to_s"] if question["to_s"] is not None else scale.end
        tip = pen.say("waited for a person: {prompt}", prompt=question["prompt"])
        yield scale.bar("person", question["from_s"], ended, tip)


def _merged(step: Step, scale: _Scale, pen: Pen) -> Bar:
    attempts = step["attempt_log"]
    ended = attempts[-1]["to_s"]
    kind = attempts[-1]["verdict"] or "running"
    last = _tip(attempts[-1], pen)
    tip = pen.say_many(
        "{count} attempt; the last: {last}",
        "{count} attempts; the last: {last}",
        len(attempts),
        last=last,
    )
    return scale.bar(kind, attempts[0]["from_s"], scale.end if ended is None else ended, tip)


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
