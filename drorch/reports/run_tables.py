"""Tables as CSV for other programs: UTF-8 with a heading, times as RFC 3339, durations in seconds.

Headings are the document's own words, in every language.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from drorch.core.timing import RESTORES
from drorch.reports.afteraction.people import deeds_of
from drorch.reports.tables import as_csv

Document: TypeAlias = Mapping[str, Any]
Line: TypeAlias = Sequence[object]


def run_tables(document: Document) -> dict[str, bytes]:
    """Every table of a run, by the name of its file."""
    return {
        "steps.csv": as_csv(_STEPS, _steps(document)),
        "attempts.csv": as_csv(_ATTEMPTS, _attempts(document)),
        "people.csv": as_csv(_PEOPLE, _people(document)),
        "restored.csv": as_csv(_RESTORED, _restored(document)),
        "findings.csv": as_csv(_FINDINGS, _findings(document)),
        "goals.csv": as_csv(_GOALS, _goals(document)),
    }


_STEPS: Final = (
    *("step", "phase", "do", "title", "status", "attempts", "started_at", "finished_at"),
    *("from_s", "to_s", "elapsed_s", "critical", "slack_s", "needs", "cause", "message", "why"),
    "hint",
)


def _steps(document: Document) -> Iterator[Line]:
    for step in document["steps"]:
        yield [step[key] for key in _STEPS]


_ATTEMPTS: Final = (
    *("step", "attempt", "verdict", "started_at", "from_s", "to_s", "elapsed_s", "wait_s"),
    *("cause", "message", "hint"),
)


def _attempts(document: Document) -> Iterator[Line]:
    for step in document["steps"]:
        for attempt in step["attempt_log"]:
            yield [step["step"], *(attempt[key] for key in _ATTEMPTS[1:])]


_PEOPLE: Final = ("name", "role", "at", "what", "step", "reason")


def _people(document: Document) -> Iterator[Line]:
    for one in document["participants"]:
        yield one["name"], one["role"], None, "took part", "", ""
    yield document["by"], "", document["started_at"], "started", "", document["reason"]
    for deed in deeds_of(document):
        yield deed["by"], "", deed["at"], deed["what"], deed["step"], deed["reason"]


_RESTORED: Final = (
    *("step", "dataset", "region", "snapshot", "snapshot_at", "files", "bytes", "path"),
    *("host", "in_production_at", "status"),
)


def _restored(document: Document) -> Iterator[Line]:
    host = document["owner"]["host"]
    for step in document["steps"]:
        if step["do"] in RESTORES and step["outputs"]:
            told = step["outputs"]
            found = [told.get(key) for key in _RESTORED[1:8]]
            lies = document["sources"].get(told.get("dataset"), [])
            yield [step["step"], *found, host, lies, step["status"]]


_FINDINGS: Final = ("id", "what", "subject", "step", "message", "hint")


def _findings(document: Document) -> Iterator[Line]:
    for finding in document["findings"]:
        yield [finding[key] for key in _FINDINGS]


_GOALS: Final = ("kind", "text", "result", "shown_by", "failed", "unknown")


def _goals(document: Document) -> Iterator[Line]:
    section = document["exercise"] or {}
    areas = [(f"area {name}", goal) for name, goal in section.get("areas", {}).items() if goal]
    told = [
        *(("objective", goal) for goal in section.get("objectives", ())),
        *(("criterion", goal) for goal in section.get("criteria", ())),
        *areas,
    ]
    for kind, goal in told:
        yield [kind, *(goal[key] for key in _GOALS[1:])]
