"""Use case `status`: the posture, and how the daemon on this state is, as its folder shows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from drorch.adapters.lease import Seen, seen
from drorch.app import posture
from drorch.app.alarm import alarm
from drorch.app.program import Program
from drorch.core.alarms import AlarmWord
from drorch.core.durations import format_duration
from drorch.core.values import Value

#: Its word comes every half minute; one so old is that of a daemon that hangs.
SILENCE = timedelta(minutes=5)


def status(program: Program) -> dict[str, Value]:
    """The contract's document of `status --json`: from the journal, and from what the daemon left."""
    found, there = posture.status(program), seen(program.configuration.work)
    known = found["alarms"]
    assert isinstance(known, list)  # noqa: S101 - made so by app/posture.py
    beside = [*_of_journal(program), *alarms(there, program.clock.now().at)]
    return found | {"daemon": document(there), "alarms": [*beside, *known]}


def _of_journal(program: Program) -> Iterator[Mapping[str, Value]]:
    """That it can only be read, which the reading itself has shown."""
    trouble = program.journal.hindered
    if trouble is not None:
        message = f"nothing can be recorded: {trouble.message}"
        host = program.owner.host
        yield alarm(AlarmWord.JOURNAL_FAILING, host, None, message, trouble.hint)


def document(found: Seen | None) -> dict[str, Value] | None:
    """As `status --json` has it; None if there never was one, or another scheduler has its place."""
    if found is None or found.said is None:
        return None
    return {"alive": found.alive, **{k: v for k, v in found.said.items() if k != "alarms"}}


def alarms(found: Seen | None, now: datetime) -> Iterator[Mapping[str, Value]]:
    """What only it knows of, while it lives; and that it does not, or hangs."""
    if found is None or found.said is None:
        return
    said_at = _moment(found.said, "at")
    if not found.alive:
        yield _down(found.said, _moment(found.said, "stopped_at") or said_at)
        return
    if said_at is not None and now - said_at > SILENCE:
        yield _hanging(found.said, said_at, now)
    known = found.said.get("alarms")
    if isinstance(known, Sequence) and not isinstance(known, str):
        yield from (one for one in known if isinstance(one, Mapping))


def _down(said: Mapping[str, Value], since: datetime | None) -> dict[str, Value]:
    how = "was stopped" if said.get("stopped_at") else "is gone"
    return alarm(
        AlarmWord.DAEMON_DOWN,
        f"daemon on {said.get('host')}",
        since,
        f"the daemon {how}: nothing is backed up, checked or practised by itself",
        "start it: drorch daemon, or systemctl start drorch",
    )


def _hanging(said: Mapping[str, Value], since: datetime, now: datetime) -> dict[str, Value]:
    return alarm(
        AlarmWord.DAEMON_DOWN,
        f"daemon on {said.get('host')}",
        since,
        f"the daemon (process {said.get('pid')}) has not been heard of for "
        f"{format_duration(now - since)}",
        "look at its log; restart it: systemctl restart drorch",
    )


def _moment(said: Mapping[str, Value], name: str) -> datetime | None:
    text = said.get(name)
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
