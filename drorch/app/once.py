"""Use case `daemon --once`: do everything that is due, and end; for those who have another scheduler."""

from queue import SimpleQueue

from drorch.adapters.lease import Lease
from drorch.adapters.logs import Log
from drorch.adapters.ownership import buried
from drorch.app import alarms, starting
from drorch.app.again import due_again
from drorch.app.backups import Carried
from drorch.app.crew import Crew, Ended, conclude
from drorch.app.keeping import Keeping
from drorch.app.overview import Overlook, put_down
from drorch.app.plane.copying import copied
from drorch.app.plane.keeping import take_due
from drorch.app.plane.lookout import Lookout
from drorch.app.plane.telling import CLAIM, held_by
from drorch.app.preload import preload
from drorch.app.program import Program
from drorch.app.runs import Control
from drorch.core.errors import AlreadyRunning, DrorchError


def once(program: Program, log: Log, *, control: Control) -> dict[str, Carried]:
    """Fire the newest slot of every job that is due, try again what failed long enough ago, and go on
    with what was left open; by the name of the work what its run came to, or why there was none.

    What cannot begin because another process is at it stays due for the next call. Raises
    AlreadyRunning while a daemon works on this state, or another control plane is in charge.
    """
    preload(program.configuration)
    inbox: SimpleQueue[Ended] = SimpleQueue()
    crew = Crew(control, log, inbox.put)
    found: dict[str, Carried] = {}
    with Lease(program.configuration.work) as lease:
        lease.unsay()  # from now on nobody waits for a daemon
        buried(lease.succeed(program.token))
        now = program.clock.now().at
        unattended = starting.begun(program, now, "once")
        for duty in (
            *starting.interrupted_runs(program, unattended),
            *due_again(program, unattended.jobs, (), unattended.newest, now),
        ):
            unattended.owe(duty, now)
        unattended.hurry(now)
        lookout = Lookout(program, tells=True)
        held = _held(lookout, log)
        while not control.stopping and not held:
            for started in unattended.begin(program.clock.now().at):
                crew.carry(program, started)
            if not unattended.running:
                break
            ended = inbox.get()
            found[ended.started.duty.work.name] = _carried(ended)
            view = conclude(ended, unattended, log, program.clock.now().at)
            if view is not None:
                alarms.after_run(program, view, control=control)
        while unattended.running:  # told to stop: what is under way ends, or is left
            conclude(inbox.get(), unattended, log, program.clock.now().at)
        if not control.stopping:
            Keeping(program, log).go()
        alarms.attend(program, control=control)
        if not control.stopping:
            copied(program)
            take_due(program, log)
        if program.configuration.daemon.textfile is not None:
            put_down(program, Overlook().taken(program, program.clock.now().at))
        lookout.stop()
    if held:
        raise AlreadyRunning(f"{held}: nothing scheduled begins here", f"if it is to: {CLAIM}")
    return found


def _held(lookout: Lookout, log: Log) -> str:
    """Why nothing may begin; empty: it may."""
    try:
        return held_by(lookout.look())
    except DrorchError as error:
        log.warning("control-plane.unseen", error.message, hint=error.hint)
        return ""


def _carried(ended: Ended) -> Carried:
    match ended.result:
        case DrorchError():
            return ended.result
        case BaseException() as error:
            return DrorchError(
                f"{type(error).__name__}: {error}", "this is a fault of drorch's own"
            )
        case view:
            return view
