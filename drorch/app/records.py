"""What the daemon records beside the runs it carries: a run without a step, that only says so."""

import secrets as entropy

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.events import Event
from drorch.core.names import Mode, RunKind
from drorch.core.plan import Plan


def record(program: Program, *events: Event) -> RunView:
    """Write these events into the journal, all or none.

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
        title="What the daemon has to say",
        organization=configuration.organization,
        timezone=configuration.timezone,
        configuration_digest=configuration.digest,
    )
    return carry_out(program, plan, Request("daemon", also=events), control=Control())
