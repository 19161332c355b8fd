"""Every figure of time in a report follows from the journal: computed again here by another path.

What is read are the events as the journal keeps them (JSON), and the kept pages; nothing of
core/timing or core/critical is called.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from drorch.core.codec import encode_event
from drorch.core.moment import Moment
from drorch.reports.language import LANGUAGES, Language, language
from tests.fakes.runs import Tale
from tests.unit.reports.test_run_report import ALL

GOLDEN = Path(__file__).parent / "golden"
ORDER = ("preconditions", "fence", "steps", "verify")
RECOVERING = ("drill", "failover", "failback", "restore")
ENDED = [name for name in ALL if name != "waiting-failover"]


@dataclass
class Told:
    """One step, as its own events tell it; times are seconds since the run started."""

    phase: str
    needs: tuple[str, ...]
    begin: float | None = None
    end: float | None = None
    status: str = ""
    ran: bool = False
    outputs: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """The events of one run, and what follows from them."""

    def __init__(self, tale: Tale) -> None:
        self.events = [(at, *encode_event(event)) for at, event in tale.events]
        self.started = self.events[0][0]
        self.plan: Mapping[str, Any] = self.events[0][2]["plan"]  # type: ignore[call-overload,index,assignment]
        self.seconds = list(self._line())
        self.steps = self._steps()

    def _line(self) -> Iterator[float]:
        """Seconds since the start: by ticks within a boot, by the wall clock across boots."""
        at, before = 0.0, self.started
        for moment, _, _ in self.events:
            at += _between(before, moment)
            before = moment
            yield at

    def _steps(self) -> dict[str, Told]:
        steps = {s["id"]: Told(s["phase"], tuple(s.get("needs", ()))) for s in self.plan["steps"]}
        for at, (_, kind, told) in zip(self.seconds, self.events, strict=True):
            if isinstance(told, Mapping) and told.get("step") in steps:
                _note(steps[str(told["step"])], kind, told, at)
        return steps

    @cached_property
    def outcome(self) -> str:
        return str(self.events[-1][2]["outcome"])  # type: ignore[call-overload,index]

    @cached_property
    def begin(self) -> float | None:
        """Where the clock starts."""
        declared = self.events[0][2].get("declared_at")  # type: ignore[union-attr]
        if declared and self.plan["mode"] == "live":
            return (datetime.fromisoformat(str(declared)) - self.started.at).total_seconds()
        begins = [
            s.begin for s in self.steps.values() if s.phase == "steps" and s.begin is not None
        ]
        return min(begins, default=None)

    @cached_property
    def end(self) -> float:
        """Where it stops."""
        timed = [s for s in self.steps.values() if s.phase in ORDER and s.ran]
        if self.outcome == "passed":
            passed = [s for s in timed if s.phase == "verify" and s.status == "passed"]
            timed = passed or [s for s in timed if s.phase == "steps"]
        return max(s.end for s in timed if s.end is not None)

    def rta(self) -> float | None:
        if self.outcome != "passed" or self.plan["kind"] not in RECOVERING or self.begin is None:
            return None
        return self.end - self.begin

    def rpa(self) -> float | None:
        if self.plan["kind"] not in RECOVERING:
            return None
        taken = [
            datetime.fromisoformat(s.outputs["snapshot_at"])
            for s in self.steps.values()
            if s.status == "passed" and s.phase == "steps" and "snapshot_at" in s.outputs
        ]
        if not taken:
            return None
        declared = self.events[0][2].get("declared_at")  # type: ignore[union-attr]
        live = declared and self.plan["mode"] == "live"
        since = datetime.fromisoformat(str(declared)) if live else self.started.at
        return (since - min(taken)).total_seconds()

    def person(self) -> float:
        """Stretch by stretch between two events, the state of things being the same within."""
        running: set[str] = set()
        again: set[str] = set()
        asked: set[str] = set()
        paused, total = False, 0.0
        for n, (_, kind, told) in enumerate(self.events):
            step = str(told.get("step", "")) if isinstance(told, Mapping) else ""
            if kind == "attempt.started":
                running.add(step)
                again.discard(step)
            if kind in ("attempt.finished", "attempt.lost"):
                running.discard(step)
            if kind == "retry.scheduled":
                again.add(step)
            if kind == "person.asked":
                asked.add(step)
            if kind in ("step.settled", "retry.requested", "skip.requested", "person.answered"):
                asked.discard(step)  # of these tales, each takes one answer
            paused = kind == "run.paused" or (paused and kind != "run.continued")
            if n + 1 < len(self.events) and (asked or paused) and not running and not again:
                low = max(self.seconds[n], self.begin or 0.0)
                total += max(0.0, min(self.seconds[n + 1], self.end) - low)
        return total

    def before(self, name: str) -> list[str]:
        """What a step waited for: its needs, else all of the last phase before it that has any."""
        step = self.steps[name]
        if step.needs:
            return list(step.needs)
        for phase in reversed(ORDER[: ORDER.index(step.phase)]):
            found = [n for n, s in self.steps.items() if s.phase == phase and s.end is not None]
            if found:
                return found
        return []

    def path(self) -> list[str]:
        """Back from what ended last, each time to what ended last of what was waited for."""
        timed = {n: s for n, s in self.steps.items() if s.phase in ORDER and s.end is not None}

        def ended(one: str) -> tuple[float, float]:
            return timed[one].end or 0.0, timed[one].begin or 0.0

        name: str | None = max(timed, key=ended)
        found: list[str] = []
        while name is not None and (not found or timed[name].end > (self.begin or 0.0)):  # type: ignore[operator]
            if timed[name].ran:
                found.insert(0, name)
            earlier = [n for n in self.before(name) if n in timed]
            name = max(earlier, key=ended, default=None)
        return found

    def slack(self, name: str) -> float:
        """Until the latest moment at which everything after it could still have ended in time."""
        timed = {n: s for n, s in self.steps.items() if s.phase in ORDER and s.end is not None}

        def latest(one: str) -> float:
            after = [n for n in timed if one in self.before(n)]
            later = [
                n for n in timed if ORDER.index(timed[n].phase) > ORDER.index(timed[one].phase)
            ]
            return min((latest(n) - _length(timed[n]) for n in {*after, *later}), default=self.end)

        return max(0.0, latest(name) - (timed[name].end or 0.0))


def _between(one: Moment, other: Moment) -> float:
    if one.boot == other.boot:
        return other.ticks - one.ticks
    return (other.at - one.at).total_seconds()


def _length(step: Told) -> float:
    return (step.end or 0.0) - (step.begin if step.begin is not None else step.end or 0.0)


def _note(step: Told, kind: str, told: Mapping[str, Any], at: float) -> None:
    if kind in ("attempt.started", "person.asked") and step.begin is None:
        step.begin, step.ran = at, True
    if kind == "attempt.finished":
        step.end, step.outputs = at, told.get("outputs", {})
        step.status = "passed" if told["verdict"] == "pass" else "failed"
    if kind == "person.answered":
        step.end, step.status = at, "passed" if told["approved"] else "failed"
    if kind == "step.settled":
        step.end, step.status = at, "passed"
    if kind in ("step.skipped", "skip.requested") and step.begin is None:
        step.begin = step.end = at


def cells(report: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without emphasis."""
    part = report.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[c.strip().strip("*") for c in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def page(name: str, spoken: Language) -> str:
    return (GOLDEN / f"{name}.{spoken.code}.md").read_text("utf-8")


def said(spoken: Language, seconds: float | None) -> str:
    return "–" if seconds is None else spoken.duration(timedelta(seconds=round(seconds, 3)))


def tables(report: str) -> Iterator[Sequence[Sequence[str]]]:
    for block in report.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("| ")]
        yield [[c.strip() for c in line.split("|")[1:-1]] for line in lines]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", [n for n in ENDED if n != "backup-copy-owed"])
def test_rta_rpa_machine_and_person_time(name: str, code: str) -> None:
    spoken, journal = language(code), Journal(ALL[name]())
    report = page(name, spoken)
    heading = spoken.say("Promised and measured")
    rto, rpo = cells(report, heading)[:2]
    assert rto[2] == said(spoken, journal.rta())
    assert rpo[2] == said(spoken, journal.rpa())
    promised = journal.plan.get("objectives", {})
    for row, key, actual in ((rto, "rto", journal.rta()), (rpo, "rpo", journal.rpa())):
        if actual is not None and key in promised:
            margin = promised[key] - actual
            assert row[3] == ("−" if margin < 0 else "+") + said(spoken, abs(margin))
    (times,) = [t for t in tables(report) if t and t[0][0] == spoken.say("Whose time")]
    assert journal.begin is not None
    person, whole = journal.person(), journal.end - journal.begin
    assert [row[1] for row in times[1:4]] == [
        said(spoken, seconds) for seconds in (whole - person, person, whole)
    ]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", ENDED)
def test_the_critical_path(name: str, code: str) -> None:
    spoken, journal = language(code), Journal(ALL[name]())
    found = cells(page(name, spoken), spoken.say("Timeline and critical path"))
    assert [row[0] for row in found] == journal.path()
    for row in found:
        step = journal.steps[row[0]]
        assert row[3] == said(spoken, _length(step))


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("name", ENDED)
def test_slack(name: str, code: str) -> None:
    spoken, journal = language(code), Journal(ALL[name]())
    path = journal.path()
    for row in cells(page(name, spoken), spoken.say("Steps")):
        step = row[0].removeprefix("◆ ").split(" (")[0]
        told = journal.steps.get(step)
        if told is None or told.phase not in ORDER or not told.ran:
            continue
        if journal.outcome != "passed" or (told.end or 0.0) <= (journal.begin or 0.0):
            assert row[4] == "–", step
            continue
        slack = 0.0 if step in path else journal.slack(step)
        assert row[4] == (said(spoken, slack) if slack else spoken.say("none")), step
