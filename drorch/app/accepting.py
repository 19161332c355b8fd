"""Use case `snapshots accept`: a person says that a suspicious backup is as it should be."""

from drorch.actions.guarding import guarded
from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.errors import UsageError
from drorch.core.policy import compile_accept


def accept(
    program: Program, short: str, dataset: str | None, *, reason: str, control: Control
) -> RunView:
    """Accept the only suspicious backup whose id begins so, and those of its dataset before it.

    A run of its own, with who and why. Raises UsageError if there is none, or more than one.
    """
    names = [program.dataset(dataset).name] if dataset else list(program.configuration.datasets)
    found = [
        (name, one.snapshot)
        for name in names
        for one in guarded(program.tools, program.dataset(name))
        if one.snapshot.startswith(short)
    ]
    if len(found) != 1:
        says = f"{len(found)} suspicious backups begin" if found else "no suspicious backup begins"
        hint = "give more digits of its id, or --dataset NAME" if found else "see `drorch status`"
        raise UsageError(f"{says} with {short}", hint)
    ((name, snapshot),) = found
    plan = compile_accept(name, snapshot, program.configuration, by=program.owner.user)
    return carry_out(program, plan, Request(reason=reason), control=control)
