"""Use case `action`: what is to be done about findings, by whom and by when; and what became of it.

Each addition and change is a run of its own, with who and why. They take their turns.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out, view
from drorch.core.alarms import RunEnded
from drorch.core.correcting import compile_change, compile_open
from drorch.core.corrective import Change, ChangeKind, Corrective, unfit, wants_action
from drorch.core.document import rfc3339
from drorch.core.errors import AlreadyRunning, ConfigurationError, DrorchError, Problem, UsageError
from drorch.core.exercises import EVIDENCE
from drorch.core.moment import elapsed
from drorch.core.names import Outcome, RunKind
from drorch.core.plan import Plan
from drorch.core.quarter_findings import of_quarter
from drorch.core.values import Value

#: Runs that prove nothing about what was to be done.
_NO_PROOF = frozenset(
    {RunKind.TELL, RunKind.SCHEDULE, RunKind.CORRECTIVE, RunKind.HOLD, RunKind.KIT}
)

#: How long another who records one is waited for, and how often it is looked whether he has ended.
_PATIENCE, _MOMENT = timedelta(seconds=20), 0.05

#: A title or a name is at most so long.
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of an action; empty: not said. `overdue`: that its day is over is meant."""

    owner: str = ""
    due: str = ""
    run: str = ""
    overdue: bool = False


def corrective_actions(program: Program) -> Sequence[Corrective]:
    """Every action there ever was, in the order of their ids."""
    known = program.journal.facts(Corrective, "")
    return sorted((one.fact for one in known), key=lambda action: action.number)


def find(program: Program, action: str) -> Corrective:
    """The action with this id; UsageError otherwise."""
    known = {one.id.lower(): one for one in corrective_actions(program)}
    if action.lower() in known:
        return known[action.lower()]
    raise UsageError(f"there is no action {action!r}", "see: drorch action list")


def add(
    program: Program, title: str, wanted: Wanted, *, finding: str = "", control: Control
) -> tuple[Corrective | None, RunView]:
    """Open an action, and give it the next id: the action (None if it did not come to be) and its run.

    `finding` is RUN/N, or what a quarter adds up to (QUARTER/WORD/SUBJECT); `wanted.run` is the run it
    comes from. Raises ConfigurationError with all that
    is wrong, UsageError for a run that is not there.
    """
    problems = [
        *_wrong_text("the title", title),
        *_wrong_text("the owner", wanted.owner),
        *_wrong_day(program, wanted),
    ]
    if finding and wanted.run:
        problems.append(Problem("--finding names its run already", "leave --run out"))
    if problems:
        raise ConfigurationError(problems)
    plan = compile_open(
        program.configuration,
        title=title.strip(),
        owner=wanted.owner.strip(),
        due=wanted.due,
        by=program.owner.user,
        finding=_finding(program, finding) if finding else "",
        run=program.journal.find(wanted.run).run if wanted.run else "",
    )
    return _recorded(program, plan, title, control)


def change(
    program: Program,
    action: str,
    what: ChangeKind,
    reason: str,
    wanted: Wanted,
    *,
    control: Control,
) -> tuple[Corrective | None, RunView]:
    """Close an action, open it again, or give it another owner or day: as it then is, and the run.

    `wanted.run` is the run that proved it. Raises as `add`, and UsageError where that cannot
    become of it.
    """
    problems = [
        *_wrong_text("the reason", reason),
        *(_wrong_text("the owner", wanted.owner) if wanted.owner else ()),
        *(_wrong_day(program, wanted) if wanted.due else ()),
    ]
    if problems:
        raise ConfigurationError(problems)
    known = find(program, action)
    wrong = unfit(known, what)
    if wrong is not None:
        raise UsageError(*wrong)
    told = Change(
        program.clock.now().at,
        program.owner.user,
        what,
        reason.strip(),
        wanted.owner.strip(),
        wanted.due,
        _proof(program, wanted.run) if wanted.run else "",
    )
    plan = compile_change(program.configuration, known.id, told)
    return _recorded(program, plan, reason, control)


def _wrong_text(what: str, text: str) -> Iterator[Problem]:
    if not text.strip():
        yield Problem(f"{what} is empty", "say it in a few words")
    elif len(text) > _LONGEST or not text.isprintable():
        yield Problem(
            f"{what} is more than one line of {_LONGEST} characters",
            "put the details where people work on it",
        )


def _wrong_day(program: Program, wanted: Wanted) -> Iterator[Problem]:
    text = wanted.due
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        yield Problem(f"{text!r} is no day", "write the day like 2026-12-31")
        return
    zone = ZoneInfo(program.configuration.timezone)
    today = program.clock.now().at.astimezone(zone).date()
    if day < today and not wanted.overdue:
        hint = f"today is {today}; if the day is meant, say --overdue"
        yield Problem(f"{text} is over", hint)


def _finding(program: Program, text: str) -> str:
    """RUN/N in full, or what a quarter's report has; UsageError if there is no such finding."""
    if quarter := of_quarter(text):
        return _of_quarter(program, quarter[0], text)
    run, _, number = text.rpartition("/")
    if not run or not number.isdecimal():
        raise UsageError(
            f"{text!r} names no finding",
            "write RUN/N, as `drorch run show RUN` numbers them, or the id that a quarter's report has",
        )
    found = view(program, program.journal.find(run).run)
    findings = found.document["findings"]
    count = len(findings) if isinstance(findings, list) else 0
    if not 1 <= int(number) <= count:
        raise UsageError(
            f"run {found.run} has no finding {number}: it has {count or 'none'}",
            f"see: drorch run show {found.run}",
        )
    return f"{found.run}/{int(number)}"


def _of_quarter(program: Program, quarter: str, text: str) -> str:
    from drorch.app.quarters import chosen, quarter_values  # which know this module

    if any(one.id == text for one in quarter_values(program, chosen(program, quarter)).findings):
        return text
    raise UsageError(
        f"the report of {quarter} has no finding {text!r}",
        f"its chapter of findings has their ids: drorch report quarter {quarter} --format md",
    )


def _proof(program: Program, text: str) -> str:
    """The run that is to prove it; UsageError if it cannot."""
    row = program.journal.find(text)
    look = f"see: drorch run show {row.run}"
    if row.outcome is None:
        raise UsageError(f"run {row.run} has not ended: it proves nothing yet", look)
    if row.outcome is not Outcome.PASSED:
        raise UsageError(f"run {row.run} {row.outcome.value}: it does not prove it", look)
    if row.kind in _NO_PROOF:
        raise UsageError(
            f"run {row.run} is a {row.kind.value}: it proves nothing of the kind", look
        )
    return row.run


def _recorded(
    program: Program, plan: Plan, reason: str, control: Control
) -> tuple[Corrective | None, RunView]:
    seen = _in_turn(program, plan, reason, control)
    outputs = seen.state.steps["record"].outputs
    named = outputs.get("action")
    return (find(program, str(named)) if named else None), seen


def _in_turn(program: Program, plan: Plan, reason: str, control: Control) -> RunView:
    """Another process may be at it: such a run takes a moment."""
    begun = program.clock.now()
    while True:
        try:
            return carry_out(program, plan, Request(reason=reason), control=control)
        except AlreadyRunning:
            late = elapsed(begun, program.clock.now()) > _PATIENCE
            if late or control.stopping:
                raise
        threading.Event().wait(_MOMENT)


# --- what there is


def listing(program: Program, *, only_open: bool) -> dict[str, Value]:
    """The document of `action list --json`: the actions, and findings that nobody has taken up."""
    now = program.clock.now().at
    known = corrective_actions(program)
    wanted = [one for one in known if not only_open or one.status == "open"]
    return {
        "at": rfc3339(now),
        "actions": [document(program, one, now) for one in wanted],
        "findings": list(_untaken(program, known)),
    }


def document(program: Program, action: Corrective, now: datetime) -> dict[str, Value]:
    """One action, as JSON; its days are local, its times UTC."""
    today = now.astimezone(ZoneInfo(program.configuration.timezone)).date()
    return {
        "action": action.id,
        "title": action.title,
        "owner": action.owner,
        "due": action.due,
        "status": action.status,
        "overdue": action.overdue(today),
        "finding": action.finding or None,
        "run": action.run or None,
        "opened_at": rfc3339(action.opened_at),
        "opened_by": action.opened_by,
        "closed_at": rfc3339(action.closed_at) if action.closed_at else None,
        "closed_by": action.closed_by or None,
        "closed_by_run": action.closed_by_run or None,
        "why": action.why or None,
        "changes": [_change(one) for one in action.changes],
    }


def _change(change: Change) -> dict[str, Value]:
    return {
        "at": rfc3339(change.at),
        "by": change.by,
        "what": change.what.value,
        "why": change.why,
        "owner": change.owner or None,
        "due": change.due or None,
        "run": change.run or None,
    }


def _untaken(program: Program, known: Sequence[Corrective]) -> Iterator[dict[str, Value]]:
    """Of the newest exercise or recovery of each kind and name: what asks for an action and has none."""
    taken = {action.finding for action in known}
    for row in sorted(program.journal.facts(RunEnded, ""), key=lambda k: k.recorded_at):
        ended = row.fact
        if ended.kind not in EVIDENCE or (ended.kind == RunKind.RESTORE_TEST and ended.good):
            continue
        for finding in _findings(program, ended.run):
            if wants_action(str(finding["what"])) and finding["id"] not in taken:
                yield {"run": ended.run, "ended_at": rfc3339(row.recorded_at), **finding}


def _findings(program: Program, run: str) -> Sequence[Mapping[str, Value]]:
    """None if its journal cannot be read: `journal verify` is there to say so."""
    try:
        found = view(program, run).document["findings"]
    except DrorchError:
        return ()
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else ()
