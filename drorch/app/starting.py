"""How the daemon begins, and begins anew on another configuration: what it finds, and records."""

from collections.abc import Sequence
from datetime import datetime

from drorch.app.alarm import alarm
from drorch.app.crew import left_open
from drorch.app.duties import Duty
from drorch.app.lives import life_of
from drorch.app.program import Program
from drorch.app.reasons import reasons
from drorch.app.records import record
from drorch.app.runs import dropped
from drorch.app.unattended import Unattended, newest_of
from drorch.config.load import load_configuration
from drorch.core.alarms import AlarmWord
from drorch.core.errors import ConfigurationError, Problem
from drorch.core.events import ConfigurationTaken, Event, FindingRecorded, JobsSeen
from drorch.core.model import Configuration
from drorch.core.names import RunKind, RunState
from drorch.core.values import Finding, Value

#: What a run is started by that nobody but the daemon goes on with.
_OURS = frozenset({"schedule", "daemon"})

REFUSED = "configuration.refused"


def begun(
    program: Program, now: datetime, why: str, before: Unattended | None = None
) -> Unattended:
    """Take the configuration of a program over, and record that; of `before` stays what runs, and
    what is known of why slots were not begun.

    Jobs that the journal does not know are accounted for from now on. Raises JournalUntrusted.
    """
    unattended = Unattended(
        program,
        before.since if before else now,
        dict(program.journal.accounted()),
        newest_of(program.journal.whole.stocks()) if before is None else before.newest,
    )
    unattended.reasons = before.reasons if before else reasons(program, now)
    if before is not None:
        unattended.running = before.running
    events = [
        ConfigurationTaken(str(program.configuration.file or ""), program.configuration.digest, why)
    ]
    _count(unattended, now, events)
    unattended.look(now)
    return unattended


def corrected(unattended: Unattended, now: datetime) -> None:
    """Let jobs count from now on that the journal knows from a time that is yet to come: a clock
    lied, and was set. Raises JournalUntrusted.
    """
    if unattended.unknown(now):
        _count(unattended, now, [])


def _count(unattended: Unattended, now: datetime, events: Sequence[Event]) -> None:
    new = unattended.unknown(now)
    seen = [JobsSeen(new, now)] if new else []
    record(unattended.program, *events, *seen)
    unattended.accounted = dict(unattended.program.journal.accounted())


def renewed(unattended: Unattended, now: datetime) -> Unattended:
    """Read the configuration's file again and take it over.

    Raises ConfigurationError, with all its problems, if it is not right or names another state;
    that stands in the journal, then.
    """
    program = unattended.program
    old = program.configuration
    try:
        new = _same_state(old, load_configuration(old.file or old.folder / "drorch.yaml"))
    except ConfigurationError as error:
        first = error.problems[0]
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        finding = Finding(REFUSED, str(old.file or ""), f"{first}{more}", first.hint)
        record(program, FindingRecorded(finding))
        raise
    return begun(program.renewed(new), now, "SIGHUP", unattended)


def _same_state(old: Configuration, new: Configuration) -> Configuration:
    if new.state == old.state:
        return new
    raise ConfigurationError(
        [Problem("it names another state", "restart the daemon to move to another state")]
    )


def interrupted_runs(program: Program, unattended: Unattended) -> list[Duty]:
    """Runs of daemons whose process is gone, or that this one had to drop, to go on with.

    Not those whose job has a slot that is due: the run of that one ends them and does their work.
    """
    again = {w.duty.work.subject for w in unattended.waiting.values()}
    return [
        left_open(program, row)
        for row in program.journal.rows(unfinished=True)
        if row.trigger in _OURS
        and row.kind is not RunKind.TELL  # app/alarms.py ends those, and tells what stands now
        and row.subject not in again
        and row.state is not RunState.PAUSED
        and (dropped(program, row) or life_of(row) is False)
    ]


def refused(error: ConfigurationError, now: datetime) -> dict[str, Value]:
    """The alarm of a configuration that was not taken over."""
    first = error.problems[0]
    return alarm(
        AlarmWord.CONFIGURATION_REFUSED,
        "drorch.yaml",
        now,
        f"the changed configuration was not taken over: {first}",
        "mend it, then send SIGHUP again; until then the one before is in force",
    )
