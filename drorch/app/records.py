"""What is recorded beside the runs that are carried, by the daemon mostly: a run without a step, that
only says so.
"""

import secrets as entropy
from dataclasses import replace

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.events import Event
from drorch.core.names import Mode, RunKind
from drorch.core.plan import Plan

_DAEMON = Request("daemon")


def record(program: Program, *events: Event, request: Request = _DAEMON) -> RunView:
    """Write these events into the journal, all or none; `request` says who asked for it.

    Raises SlotGone if a slot among them is accounted for, JournalUntrusted if it cannot be written.
    """
    configuration = program.configuration
    plan = Plan(
        kind=RunKind.SCHEDULE,
        name="schedule",
        mode=Mode.LIVE,
        # Nothing keeps two of them apart: what they say is kept apart by slot.
        subject=f"schedule:{entropy.token_hex(8)}",
        steps=(),
        title="What the daemon has to say" if request.trigger == "daemon" else "What was said",
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )
    return carry_out(program, plan, replace(request, also=events), control=Control())
