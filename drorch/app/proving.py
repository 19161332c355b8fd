"""How each runbook stands: its last drill, when the next is due, whether its preconditions hold,
and whether it must be proven anew.

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
from drorch.core.facts import ReadinessLooked, ReadinessProven
from drorch.core.names import Outcome, RunKind
from drorch.core.plan import Plan
from drorch.core.posture import RunRow
from drorch.core.values import Value
from drorch.core.verification import Doubt, Reason, changes


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a runbook's preconditions: when they were last looked at, when they last all
    passed; what of them did not when last looked at, and what could not be looked at (`open`).
    """

    looked_at: datetime | None = None
    proven_at: datetime | None = None
    wrong: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def first_wrong(self) -> str:
        """The first of what did not pass, and how many more there are."""
        more = f" (and {len(self.wrong) - 1} more)" if len(self.wrong) > 1 else ""
        return f"{self.wrong[0]}{more}"

    def document(self) -> dict[str, Value]:
        """As `status --json` has it."""
        return {
            "readiness_looked_at": rfc3339(self.looked_at) if self.looked_at else None,
            "readiness_proven_at": rfc3339(self.proven_at) if self.proven_at else None,
            "readiness_wrong": list(self.wrong),
            "readiness_open": list(self.open),
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """A runbook's standing. `doubts` are what speaks against relying on it; empty: proven.

    `passed` is the newest drill that passed, `last` the newest that came to an end.
    """

    runbook: str
    last: RunRow | None
    passed: RunRow | None
    due_at: datetime | None
    overdue: bool | None
    doubts: tuple[Doubt, ...]
    readiness: Standing = Standing()

    @property
    def why(self) -> tuple[str, ...]:
        """The doubts in words."""
        return tuple(doubt.said for doubt in self.doubts)

    def document(self) -> dict[str, Value]:
        """As `status --json` has it."""
        last = self.last
        return {
            "runbook": self.runbook,
            "last_run": last.run if last else None,
            "last_outcome": last.outcome.value if last and last.outcome else None,
            "due_at": rfc3339(self.due_at) if self.due_at else None,
            "overdue": self.overdue,
            "needs_verification": bool(self.doubts),
            "why": list(self.why),
            **self.readiness.document(),
        }


def proofs_of_runbooks(
    program: Program, now: datetime, known: Mapping[str, Standing]
) -> list[Proof]:
    """Of each runbook that a service or a drill names; `known` is of all (`standings`)."""
    named = dict.fromkeys(
        [s.runbook for s in program.configuration.services.values() if s.runbook]
        + [d.runbook for d in program.configuration.drills.values()]
    )
    texts = program.runbooks.digests() if named else {}
    return [proof_of(program, name, now, texts, known) for name in named]


def proof_of(
    program: Program,
    runbook: str,
    now: datetime,
    texts: Mapping[str, str] | None = None,
    readiness: Mapping[str, Standing] | None = None,
) -> Proof:
    """Of one runbook; `texts` are the digests of all runbooks, `readiness` what is known of their
    preconditions, read if not given.
    """
    rows = [r for r in program.journal.rows(name=runbook) if r.kind is RunKind.DRILL]
    last = next((r for r in rows if r.outcome is not None), None)
    passed = next((r for r in rows if r.outcome is Outcome.PASSED), None)
    due_at, overdue = _due(program, runbook, passed, now)
    known = program.runbooks.digests() if texts is None else texts
    doubts = tuple(_doubts(program, last, passed, known))
    if overdue:
        doubts = (*doubts, Doubt(Reason.OVERDUE))
    found = standings(program) if readiness is None else readiness
    standing = found.get(runbook, Standing())
    if standing.wrong:
        doubts = (*doubts, Doubt(Reason.NOT_READY, standing.first_wrong))
    return Proof(runbook, last, passed, due_at, overdue, doubts, standing)


def standings(program: Program) -> dict[str, Standing]:
    """What is known of the preconditions of every runbook that was ever looked at, by its name."""
    proven = {k.fact.runbook: k for k in program.journal.facts(ReadinessProven, "")}
    return {
        known.fact.runbook: Standing(
            known.recorded_at,
            proven[known.fact.runbook].recorded_at if known.fact.runbook in proven else None,
            known.fact.wrong,
            known.fact.open,
        )
        for known in program.journal.facts(ReadinessLooked, "")
    }


def _doubts(
    program: Program, last: RunRow | None, passed: RunRow | None, texts: Mapping[str, str]
) -> Iterator[Doubt]:
    if passed is None:
        yield Doubt(Reason.NEVER_PASSED)
        return
    if last is not None and last.outcome is Outcome.FAILED:
        yield Doubt(Reason.LAST_FAILED)
    if last is not None and last.outcome is Outcome.ABORTED:
        yield Doubt(Reason.LAST_ABORTED)
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
    return program.journal.whole.beginning() or now
