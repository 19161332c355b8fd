"""The timeline: attempts and waits as bars on one line of time.

Knows places as shares of the whole (0 to 1); how wide and how coloured is the template's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drorch.reports import words
from drorch.reports.condense import PhaseSteps, Rest, Step
from drorch.reports.figures import count, duration, middle_cut

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


def chart(document: Mapping[str, Any], phases: Sequence[PhaseSteps]) -> Chart | None:
    """The timeline of a run, or None if nothing began."""
    scale = _scale(document)
    if scale is None:
        return None
    lines = tuple(_lines(phases, scale))
    sheets = tuple(lines[n : n + LINES_ON_A_SHEET] for n in range(0, len(lines), LINES_ON_A_SHEET))
    window = document["window"]
    places = (scale.at(window["from_s"]), scale.at(window["to_s"])) if window else None
    target = document["objectives"]["rto"]["target_s"]
    objective, beyond = None, ""
    if window and target is not None:
        place = scale.at(window["from_s"] + target)
        label = f"RTO {duration(target)}"
        objective = Mark(place, label) if place <= 1 else None
        beyond = "" if place <= 1 else duration(target)
    return Chart(sheets, tuple(scale.ticks()), places, objective, beyond)


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

    def ticks(self) -> Iterator[Mark]:
        length = self.end - self.begin
        days = 86_400 * max(1, round(length / _MOST_TICKS / 86_400))
        step = next((t for t in _TICKS if length / t <= _MOST_TICKS), days)
        number = 0
        while self.zero + number * step <= self.end:
            second = number * step
            yield Mark(self.at(self.zero + second), duration(second))
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


def _lines(phases: Sequence[PhaseSteps], scale: _Scale) -> Iterator[Line]:
    for number, phase in enumerate(phases):
        shaded = number % 2 == 0
        yield Line(words.PHASES[phase.phase], heading=True, shaded=shaded)
        for step in phase.steps:
            yield _line(step, scale, shaded=shaded)
        if phase.rest is not None:
            yield _rest_line(phase.rest, scale, shaded=shaded)


def _line(step: Step, scale: _Scale, *, shaded: bool) -> Line:
    bars = tuple(sorted(_bars(step, scale), key=lambda b: b.left))
    return Line(
        label=step["step"],
        short=middle_cut(step["step"], _ROOM_FOR_LABEL),
        status=step["status"],
        critical=step["critical"],
        bars=bars,
        end=max((b.left + b.width for b in bars), default=0.0),
        elapsed=duration(step["elapsed_s"]) if bars else "",
        shaded=shaded,
    )


def _rest_line(rest: Rest, scale: _Scale, *, shaded: bool) -> Line:
    label = words.FURTHER_STEPS.format(count=count(rest.count))
    if rest.begin is None or rest.end is None:
        return Line(label, shaded=shaded)
    bar = scale.bar(
        "rest",
        rest.begin,
        rest.end,
        words.TIP_REST.format(label=label, length=duration(rest.longest)),
    )
    return Line(
        label,
        bars=(bar,),
        end=bar.left + bar.width,
        elapsed=f"≤ {duration(rest.longest)}",
        shaded=shaded,
    )


def _bars(step: Step, scale: _Scale) -> Iterator[Bar]:
    attempts = step["attempt_log"]
    if len(attempts) > _BARS_OF_ONE_STEP:
        yield _merged(step, scale)
        return
    for number, attempt in enumerate(attempts):
        ended = attempt["to_s"] if attempt["to_s"] is not None else scale.end
        kind = attempt["verdict"] or "running"
        yield scale.bar(kind, attempt["from_s"], ended, _tip(attempt))
        if attempt["wait_s"] is not None:
            more = number + 1 < len(attempts)
            until = attempts[number + 1]["from_s"] if more else step["to_s"]
            tip = words.TIP_WAIT.format(length=duration(attempt["wait_s"]))
            yield scale.bar("wait", ended, scale.end if until is None else until, tip)
    for question in step["questions"]:
        ended = question["to_s"] if question["to_s"] is not None else scale.end
        tip = words.TIP_PERSON.format(prompt=question["prompt"])
        yield scale.bar("person", question["from_s"], ended, tip)


def _merged(step: Step, scale: _Scale) -> Bar:
    attempts = step["attempt_log"]
    ended = attempts[-1]["to_s"]
    kind = attempts[-1]["verdict"] or "running"
    tip = words.TIP_MERGED.format(count=len(attempts), last=_tip(attempts[-1]))
    return scale.bar(kind, attempts[0]["from_s"], scale.end if ended is None else ended, tip)


def _tip(attempt: Mapping[str, Any]) -> str:
    spent = attempt["elapsed_s"]
    said = words.TIP_ATTEMPT.format(
        number=attempt["attempt"], verdict=words.VERDICTS[attempt["verdict"]]
    )
    said += words.TIP_AFTER.format(length=duration(spent)) if spent is not None else ""
    return f"{said}: {attempt['message']}" if attempt["message"] else said
