"""Use case `snapshots hold`: say that retention must keep a snapshot, and why, or need no longer."""

from collections.abc import Sequence

from drorch.actions.verdicts import look
from drorch.app.lives import owner_lives
from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.errors import AlreadyRunning, UsageError
from drorch.core.facts import Forgotten, Held
from drorch.core.model import Dataset
from drorch.core.names import RunKind
from drorch.core.retaining import compile_hold


def hold(
    program: Program,
    short: str,
    dataset: str | None,
    *,
    reason: str,
    release: bool,
    control: Control,
) -> RunView:
    """Hold the only snapshot whose id begins so, or release it. A run of its own, with who and why.

    Raises UsageError for a snapshot that is not there, not held, or forgotten; AlreadyRunning
    while retention is at work on the dataset and might be deleting it.
    """
    datasets = (
        [program.dataset(dataset)] if dataset else list(program.configuration.datasets.values())
    )
    where, snapshot = _meant(program, datasets, short)
    _check(program, where, snapshot, release=release)
    plan = compile_hold(
        where.name,
        snapshot,
        program.configuration,
        by=program.owner.user,
        reason=reason,
        release=release,
    )
    return carry_out(program, plan, Request(reason=reason), control=control)


def _meant(program: Program, datasets: Sequence[Dataset], short: str) -> tuple[Dataset, str]:
    """The snapshot by the journal, else by what the regions show."""
    found = {
        (d.name, c.snapshot)
        for d in datasets
        for c in program.journal.copies(d.name)
        if c.snapshot.startswith(short)
    } or {
        (d.name, snapshot)
        for d in datasets
        for shown in look(program.tools, d)
        for snapshot in shown.every
        if snapshot.startswith(short)
    }
    if len(found) == 1:
        ((name, snapshot),) = found
        return program.dataset(name), snapshot
    says = f"{len(found)} snapshots begin" if found else "no snapshot begins"
    raise UsageError(
        f"{says} with {short}",
        "give more digits of its id, or --dataset NAME" if found else "see `drorch snapshots list`",
    )


def _check(program: Program, dataset: Dataset, snapshot: str, *, release: bool) -> None:
    holds = [k.fact for k in program.journal.facts(Held, dataset.name)]
    if release and not any(h.snapshot == snapshot and not h.released for h in holds):
        raise UsageError(
            f"snapshot {snapshot[:8]} of {dataset.name} is not held", "see `drorch snapshots list`"
        )
    for known in program.journal.facts(Forgotten, dataset.name):
        if known.fact.snapshot == snapshot:
            raise UsageError(
                f"snapshot {snapshot[:8]} of {dataset.name} was forgotten: {known.fact.reason}",
                "see what is left with `drorch snapshots list`",
            )
    for row in program.journal.rows(unfinished=True, name=dataset.name):
        if row.kind is RunKind.RETENTION and owner_lives(row):
            raise AlreadyRunning(
                f"retention of {dataset.name} is under way: run {row.run}",
                f"hold it once that has ended: drorch run watch {row.run}",
            )
