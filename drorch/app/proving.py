"""How each runbook stands: its last drill, when the next is due, and whether it must be proven anew.

From the journal, the configuration and the texts alone: no runbook is compiled, no region asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.due import is_due, next_due
from drorch.core.events import RunStarted
from drorch.core.names import Outcome, RunKind
from drorch.core.plan import Plan
from drorch.core.posture import RunRow
from drorch.core.values import Value
from drorch.core.verification import changes


@dataclass(frozen=True, slots=True)
class Proof:
    """A runbook's standing. `why` says what speaks against relying on it; empty: proven."""

    runbook: str
    last: RunRow | None
    due_at: datetime | None
    overdue: bool | None
    why: tuple[str, ...]

    def document(self) -> dict[str, Value]:
        """As `status --json` has it."""
        last = self.last
        return {
            "runbook": self.runbook,
            "last_run": last.run if last else None,
            "last_outcome": last.outcome.value if last and last.outcome else None,
            "due_at": rfc3339(self.due_at) if self.due_at else None,
            "overdue": self.overdue,
            "needs_verification": bool(self.why),
            "why": list(self.why),
        }


def proofs_of_runbooks(program: Program, now: datetime) -> list[Proof]:
    """Of each runbook that a service or a drill names."""
    named = dict.fromkeys(
        [s.runbook for s in program.configuration.services.values() if s.runbook]
        + [d.runbook for d in program.configuration.drills.values()]
    )
    texts = program.runbooks.digests()
    return [proof_of(program, name, now, texts) for name in named]


def proof_of(
    program: Program, runbook: str, now: datetime, texts: Mapping[str, str] | None = None
) -> Proof:
    """Of one runbook; `texts` are the digests of all runbooks, read if not given."""
    rows = [r for r in program.journal.rows(name=runbook) if r.kind is RunKind.DRILL]
    last = next((r for r in rows if r.outcome is not None), None)
    passed = next((r for r in rows if r.outcome is Outcome.PASSED), None)
    due_at, overdue = _due(program, runbook, passed, now)
    known = program.runbooks.digests() if texts is None else texts
    why = tuple(_why(program, last, passed, known))
    if overdue:
        why = (*why, "its drill is overdue")
    return Proof(runbook, last, due_at, overdue, why)


def _why(
    program: Program, last: RunRow | None, passed: RunRow | None, texts: Mapping[str, str]
) -> Iterator[str]:
    if passed is None:
        yield "no drill of it has ever passed"
        return
    if last is not None and last.outcome is not Outcome.PASSED:
        yield f"its last drill {last.outcome}"
    plan = _plan_of(program, passed.run)
    then = plan.targets or {f"runbook {plan.name}": plan.runbook_digest}
    yield from changes(then, program.configuration, texts)


def _plan_of(program: Program, run: str) -> Plan:
    started = next(iter(program.journal.read(run))).event
    assert isinstance(started, RunStarted)  # noqa: S101 - the journal's first rule
    return started.plan


def _due(
    program: Program, runbook: str, passed: RunRow | None, now: datetime
) -> tuple[datetime | None, bool | None]:
    """When the next drill is to pass by its schedules, and whether that is over; None: none has one."""
    zone = ZoneInfo(program.configuration.timezone)
    wanted = [d.schedule for d in program.configuration.drills.values() if d.runbook == runbook]
    if not wanted:
        return None, None
    since = passed.started_at if passed is not None else _beginning(program, now)
    return min(next_due(schedule, since, zone) for schedule in wanted), any(
        is_due(schedule, since, now, zone) for schedule in wanted
    )


def _beginning(program: Program, now: datetime) -> datetime:
    """Since when drills are awaited where none has passed: the first run this journal holds."""
    rows = program.journal.rows()
    return rows[-1].started_at if rows else now
