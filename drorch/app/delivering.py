"""Use case `report send`: the report of a quarter is written, and sent to whoever is to have it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.events import RunStarted, SlotsMissed
from drorch.core.names import Outcome, RunKind, SlotFate
from drorch.core.quarter import Quarter, ended_last
from drorch.core.reported import ReportSent
from drorch.core.reporting import NAME, RETRY, SUBJECT, compile_report
from drorch.core.runbook import Retry
from drorch.engine.loop import Watcher

#: Reports of so many quarters are caught up: two years.
MOST = 8


def deliver(
    program: Program,
    quarter: Quarter,
    request: Request,
    *,
    everybody: bool = False,
    retry: Retry = RETRY,
    control: Control,
    watchers: Sequence[Watcher] = (),
) -> RunView:
    """Write the report of a quarter that is over, once, and send it to those who have not got it yet,
    or to everybody. `retry` says how often each is tried in one run.
    """
    known = program.journal.facts(ReportSent, "")
    sent = {one.fact.channel for one in known if one.fact.quarter == str(quarter)}
    plan = compile_report(
        str(quarter),
        program.configuration,
        sent=() if everybody else sent,
        retry=retry,
        nothing=_nothing(program, quarter),
    )
    return carry_out(program, plan, request, control=control, watchers=watchers)


def owed_before(
    program: Program, newest: Quarter, gaps: Sequence[SlotsMissed] = ()
) -> list[Quarter]:
    """The quarters before this one whose day nobody was there on, and whose report never went out since:
    oldest first, MOST at the most. `gaps` are those that the journal does not hold yet.
    """
    zone = ZoneInfo(program.configuration.timezone)
    slots = program.journal.slots(job=SUBJECT)
    missed = [(one.first_at, one.last_at) for one in slots if one.fate is SlotFate.MISSED]
    missed += [(one.first_at, one.last_at) for one in gaps if one.job == SUBJECT]
    spans = [(ended_last(first, zone), ended_last(last, zone)) for first, last in missed]
    found = [newest.moved(-back) for back in range(MOST, 0, -1)]
    wanted = [one for one in found if any(first <= one <= last for first, last in spans)]
    done = _delivered(program) if wanted else frozenset()
    return [one for one in wanted if str(one) not in done and not _nothing(program, one)]


def _delivered(program: Program) -> frozenset[str]:
    """Quarters whose report was written and sent."""
    passed = [
        row
        for row in program.journal.rows(name=NAME)
        if row.kind is RunKind.REPORT and row.outcome is Outcome.PASSED
    ]
    first = (next(iter(program.journal.read(row.run))).event for row in passed)
    return frozenset(e.plan.inputs["quarter"] for e in first if isinstance(e, RunStarted))


def _nothing(program: Program, quarter: Quarter) -> str:
    """Why there is nothing to report; empty: there is something."""
    zone = ZoneInfo(program.configuration.timezone)
    begins = program.journal.whole.beginning()
    if begins is not None and begins < quarter.end(zone):
        return ""
    since = f"on {begins.astimezone(zone):%Y-%m-%d}" if begins else "with this run"
    return f"the journal begins {since}"
