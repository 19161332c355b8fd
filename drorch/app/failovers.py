"""Use cases for real: fail over, and back. A person declares it; from then on the clock runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from drorch.app.drills import Drilled, compile_plan, reported
from drorch.app.program import Program
from drorch.app.proving import proof_of
from drorch.app.runs import Control, Request, carry_out
from drorch.core.document import rfc3339
from drorch.core.errors import UsageError
from drorch.core.events import Event, FenceForced, FindingRecorded
from drorch.core.exercises import Participant
from drorch.core.names import Mode
from drorch.core.plan import Plan
from drorch.core.values import Finding
from drorch.engine.loop import Watcher


@dataclass(frozen=True, slots=True)
class Declaration:
    """The decision: why, since when (None: now), and why the fencing gate need not hold, if so."""

    reason: str
    at: datetime | None = None
    unfenced: str | None = None


def compile_live(
    program: Program,
    name: str,
    inputs: Mapping[str, str],
    *,
    homeward: bool = False,
    participants: Sequence[Participant] = (),
) -> Plan:
    """What a failover (`homeward`: a failback) would do; see compile_plan. `participants` take part
    beside those who will answer questions.
    """
    compiled = compile_plan(program, name, Mode.LIVE, inputs, homeward=homeward)
    return replace(compiled, participants=tuple(participants))


def carry_live(
    program: Program,
    plan: Plan,
    request: Request,
    *,
    control: Control,
    watchers: Sequence[Watcher] = (),
    wait_for_people: bool = False,
) -> Drilled:
    """Carry a live plan out, as requested by a declaration, and write its report."""
    seen = carry_out(
        program,
        plan,
        request,
        control=control,
        watchers=watchers,
        wait_for_people=wait_for_people,
    )
    return reported(program, seen)


def unproven(program: Program, name: str) -> tuple[str, ...]:
    """What speaks against relying on the runbook: shown before a failover, and in its report."""
    return proof_of(program, name, program.clock.now().at).why


def request_by(
    program: Program, declaration: Declaration, name: str, doubts: Sequence[str] = ()
) -> Request:
    """What a declaration asks for; `doubts` about the runbook of that name are put on record.

    UsageError if it gives no reason or a time that has not come.
    """
    now = program.clock.now().at
    at = declaration.at or now
    if not declaration.reason.strip():
        raise UsageError(
            "a declaration needs its reason", 'say why: --declare "the site is without power"'
        )
    if at > now:
        raise UsageError(
            f"{rfc3339(at)} has not come yet: it cannot have been declared then",
            "leave --declared-at out if it is declared now; look at this machine's clock",
        )
    also: tuple[Event, ...] = tuple(FindingRecorded(_doubt(name, why)) for why in doubts)
    if declaration.unfenced is not None:
        if not declaration.unfenced.strip():
            raise UsageError(
                "to go on unfenced needs a reason", 'say why: --force-unfenced "its power is cut"'
            )
        also = (*also, FenceForced(program.owner.user, declaration.unfenced.strip()))
    return Request("operator", declaration.reason.strip(), declared_at=at, also=also)


def _doubt(name: str, why: str) -> Finding:
    message = f"{name} was not proven as it is now: {why}"
    hint = f"practise it when there is time again: drorch drill {name}"
    return Finding("runbook.needs-verification", name, message, hint)
