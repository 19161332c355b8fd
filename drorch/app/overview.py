"""What those who look from outside are told of datasets, runs and channels, from the journal alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from drorch.app.posture import status
from drorch.app.program import Program
from drorch.core.alarms import ChannelTried
from drorch.core.telling import channels
from drorch.core.values import Value
from drorch.core.vitals import Counted, DaemonState, Overview


class Overlook:
    """Keeps count of what runs and slots came to: all is counted once, then only what came since.

    One thread at a time.
    """

    def __init__(self) -> None:
        self._counted = Counted()

    def taken(
        self, program: Program, at: datetime, extra: Sequence[Mapping[str, Value]] = ()
    ) -> Overview:
        """The overview at this moment, with `extra` alarms beside those of `status`."""
        since = program.journal.counted(self._counted.entry)
        self._counted = self._counted.with_more(since)
        return Overview(at, _posture(program, extra), self._counted, _untold(program))


def _posture(program: Program, extra: Sequence[Mapping[str, Value]]) -> Mapping[str, Value]:
    found = status(program)
    known = found["alarms"]
    alarms = [*known, *extra] if isinstance(known, list) else list(extra)
    return found | {"alarms": alarms}


def _untold(program: Program) -> dict[str, int]:
    tried = {k.fact.channel: k.fact.times for k in program.journal.facts(ChannelTried, "")}
    return {one.name: tried.get(one.name, 0) for one in channels(program.configuration.channels)}


def put_down(program: Program, overview: Overview, state: DaemonState | None = None) -> None:
    """Write it to the file of metrics, if one is wanted; DrorchError if that cannot be."""
    path = program.configuration.daemon.textfile
    if path is not None:
        from drorch.metrics.textfile import write_textfile

        write_textfile(path, overview, state)
