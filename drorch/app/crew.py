"""Who carries the daemon's work: a thread for each run, and what is made of how it ended."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from drorch.adapters.logs import Log
from drorch.app.duties import Duty
from drorch.app.program import Program
from drorch.app.records import record
from drorch.app.runs import SUPERSEDED, Control, Request, RunView, resume
from drorch.app.unattended import Started, Unattended
from drorch.core.dispatch import Hold, Work
from drorch.core.errors import (
    AlreadyRunning,
    DrorchError,
    FenceLost,
    JournalUntrusted,
    SlotGone,
)
from drorch.core.events import AbortRequested
from drorch.core.names import Outcome, RunKind, RunState
from drorch.core.posture import RunRow
from drorch.engine.loop import Interrupted, Watcher

#: What a run came to, or why it could not be carried.
Result = RunView | BaseException


@dataclass(frozen=True, slots=True)
class Ended:
    """A piece of work has come to an end."""

    started: Started
    result: Result


class Crew:
    """Carries work in threads; `tell` is called from them, with what they came to."""

    def __init__(self, control: Control, log: Log, tell: Callable[[Ended], None]) -> None:
        self._control = control
        self._log = log
        self._tell = tell

    def carry(self, program: Program, started: Started) -> None:
        """Begin. The parts of the program must be made before threads ask for them side by side."""
        _ = program.tools, program.journal
        name = started.duty.work.name
        thread = threading.Thread(
            target=self._carried, args=(program, started), name=name, daemon=True
        )
        thread.start()

    def _carried(self, program: Program, started: Started) -> None:
        result: Result
        try:
            watchers: tuple[Watcher, ...] = (self._log.watcher(),)
            result = started.duty.carry(program, started.request, self._control, watchers)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the daemon outlives it
            result = error
        self._tell(Ended(started, result))


def conclude(ended: Ended, unattended: Unattended, log: Log, now: datetime) -> RunView | None:
    """Account for what work came to; the run's view, if it was carried to where it stands."""
    name, result = ended.started.duty.work.name, ended.result
    match result:
        case RunView():
            unattended.taken(ended.started)
            if result.state.plan.kind is RunKind.BACKUP and _passed(result):
                unattended.backed_up({result.state.plan.name: result.state.started.at})
        case Interrupted() | FenceLost():
            unattended.taken(ended.started)
            log.warning("run.left", f"{name}: {result}")
        case SlotGone() if _reread(unattended):
            log.info("slot.gone", f"{name}: {result}")
        case AlreadyRunning() | JournalUntrusted():
            if unattended.again(ended.started, result.message, now):
                log.warning("run.waits", f"{name}: {result}", hint=result.hint)
            return None
        case _ if not _accounted(ended.started, result, unattended, log):
            unattended.again(ended.started, "it could not be recorded", now)
            return None
    unattended.ended(name, now)
    return result if isinstance(result, RunView) else None


def _passed(view: RunView) -> bool:
    ended = view.state.finished
    return ended is not None and ended.outcome is Outcome.PASSED


def _reread(unattended: Unattended) -> bool:
    """Of slots that were to be recorded together some are accounted for, and perhaps not all: what is
    due then is for the journal to say.
    """
    try:
        unattended.reread()
    except JournalUntrusted:
        return False
    return True


def _accounted(started: Started, error: BaseException, unattended: Unattended, log: Log) -> bool:
    """No run could be made of it: that stands in the journal, or the slot would be lost unseen."""
    why = error.message if isinstance(error, DrorchError) else f"{type(error).__name__}: {error}"
    hint = error.hint if isinstance(error, DrorchError) else None
    log.error("run.impossible", f"{started.duty.work.name}: {why}", hint=hint)
    if started.due is None:
        return True
    try:
        record(unattended.program, *unattended.missed(started, why))
    except SlotGone:
        return _reread(unattended)  # its run had begun, and says so itself
    except DrorchError as trouble:
        told = f"{started.due.job.name}: {trouble.message}"
        log.warning("slot.unrecorded", told, hint=trouble.hint)
        return False
    unattended.taken(started)
    return True


def left_open(program: Program, row: RunRow) -> Duty:
    """Go on with a run of ours whose process is gone.

    One whose work the next of its kind does again waits for nobody: it would hold that one up, for
    years if nobody comes. It is ended instead.
    """
    waits = row.kind not in SUPERSEDED

    def carry(
        using: Program, _request: Request, control: Control, watchers: Sequence[Watcher]
    ) -> RunView:
        view = resume(using, row.run, control=control, watchers=watchers, wait_for_people=waits)
        if waits or view.word is not RunState.WAITING_FOR_PERSON:
            return view
        word = AbortRequested("drorch", "nobody was there to say what had happened")
        return resume(using, row.run, control=control, watchers=watchers, word=word)

    dataset = program.configuration.datasets.get(row.name)
    work = Work(
        name=f"resume:{row.run}",
        subject=row.subject,
        promised_by=row.started_at,
        due_at=row.started_at,
        dataset=dataset.name if dataset else "",
        regions=frozenset(dataset.regions) if dataset else frozenset(),
        hold=Hold.ALONE if row.kind in (RunKind.CHECK, RunKind.RETENTION) else Hold.BESIDE,
        light=dataset is None,
    )
    return Duty(work, carry)
