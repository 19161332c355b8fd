"""`drorch runbook check --ready`: what looking at preconditions came to, told."""

from typing import TYPE_CHECKING

from drorch.cli.carrying import carrying, worst
from drorch.cli.failing import lines_of, problem_documents
from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.words import counted, lasted
from drorch.core.durations import parse_duration
from drorch.core.errors import ConfigurationError, ExitCode, Problem, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from drorch.app.readiness import Precondition, Readiness


def look_at(
    session: Session, names: tuple[str, ...], timeout: str | None, workers: int | None
) -> int:
    """Look, tell, and give back the exit code: 2 for a text that is wrong, 1 for what did not pass."""
    from drorch.app import readiness

    with carrying(session) as carried:
        found = readiness.look(
            session.program,
            names,
            control=carried.control,
            watchers=carried.watchers("runbooks"),
            timeout=_duration(timeout) if timeout is not None else readiness.TIMEOUT,
            workers=workers or readiness.WORKERS,
        )
    if session.json:
        session.emit(_document(found))
    else:
        _tell(session, found)
    wrong = list(_wrong(found))
    if wrong:
        session.tell(*lines_of(ConfigurationError(wrong)))
    return carried.exit_code([_code(found)])


def _duration(text: str) -> "timedelta":
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--timeout: {error}", "write it like --timeout 30s") from None
    if not found:
        raise UsageError("--timeout: no time at all", "write it like --timeout 30s")
    return found


def _code(found: "Readiness") -> ExitCode:
    """What matters most of: the texts, what was looked at, and whether the looking was ended."""
    from drorch.app.readiness import Look

    codes = [found.view.exit_code] if found.view.state.abort is not None else []
    if any(found.problems.values()):
        codes.append(ExitCode.USAGE)
    if any(one.look in (Look.FAIL, Look.ERROR) for one in found.preconditions):
        codes.append(ExitCode.FAILED)
    return worst(codes)


def _tell(session: Session, found: "Readiness") -> None:
    rows = [row for runbook in found.problems for row in _rows(found, runbook)]
    session.paragraph()
    show_table(
        session,
        ("runbook", "precondition", "action", "result", "took", "why"),
        rows,
        empty=f"no runbooks in {session.program.configuration.runbooks}",
        right=("took",),
    )
    if found.view.state.abort is not None:
        session.say("", "ended before all was looked at: what was known of runbooks before stays")
    known = [found.ready(runbook) for runbook in found.problems]
    good, bad, unknown = (known.count(one) for one in (True, False, None))
    partly = f", {unknown} not wholly known" if unknown else ""
    session.say("", f"{counted(good, 'runbook')} ready, {bad} not{partly}; run {found.view.run}")


def _rows(found: "Readiness", runbook: str) -> list[tuple[str, ...]]:
    if found.problems[runbook]:
        why = f"it cannot be compiled: {counted(len(found.problems[runbook]), 'problem')}"
        return [(runbook, "-", "-", "fail", "-", why)]
    return [
        (runbook, one.name, one.do, one.look.value, _took(one), one.message)
        for one in found.of(runbook)
    ] or [(runbook, "-", "-", "pass", "-", "it has no preconditions")]


def _took(one: "Precondition") -> str:
    return lasted(one.took.total_seconds()) if one.took is not None else "-"


def _wrong(found: "Readiness") -> "list[Problem]":
    from drorch.app.readiness import Look

    texts = [problem for problems in found.problems.values() for problem in problems]
    return texts + [
        Problem(f"{one.runbook}: {one.name}: {one.message}", one.hint)
        for one in found.preconditions
        if one.look in (Look.FAIL, Look.ERROR)
    ]


def _document(found: "Readiness") -> dict[str, object]:
    return {
        "ok": all(found.ready(runbook) is not False for runbook in found.problems),
        "run": found.view.run,
        "runbooks": [
            {
                "runbook": runbook,
                "ready": found.ready(runbook),
                "problems": problem_documents(problems),
                "preconditions": [_precondition(one) for one in found.of(runbook)],
            }
            for runbook, problems in found.problems.items()
        ],
    }


def _precondition(one: "Precondition") -> dict[str, object]:
    return {
        "precondition": one.name,
        "do": one.do,
        "result": one.look.value,
        "took_s": round(one.took.total_seconds(), 3) if one.took is not None else None,
        "message": one.message,
        "hint": one.hint,
    }
