"""Use case `report send`: the report of a quarter is written, and sent to whoever is to have it."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.quarter import Quarter
from drorch.core.reported import ReportSent
from drorch.core.reporting import RETRY, compile_report
from drorch.core.runbook import Retry
from drorch.engine.loop import Watcher


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


def _nothing(program: Program, quarter: Quarter) -> str:
    """Why there is nothing to report; empty: there is something."""
    zone = ZoneInfo(program.configuration.timezone)
    begins = program.journal.whole.beginning()
    if begins is not None and begins < quarter.end(zone):
        return ""
    since = f"on {begins.astimezone(zone):%Y-%m-%d}" if begins else "with this run"
    return f"the journal begins {since}"
