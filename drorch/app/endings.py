"""Alarms about runs that ended badly.

Of work that comes again by itself the newest run counts: its failure stands until one passes.
What a person started for once is told as what happened, and stands nowhere.
"""

from collections.abc import Iterator
from datetime import timedelta

from drorch.app.alarm import alarm
from drorch.app.seen import Seen
from drorch.core.alarms import AlarmWord, RunEnded
from drorch.core.facts import Known
from drorch.core.names import RunKind
from drorch.core.policy import RECORDS
from drorch.core.values import Value

#: Work that is done again and again.
LASTING = frozenset(
    {
        RunKind.BACKUP,
        RunKind.REPLICATE,
        RunKind.CHECK,
        RunKind.SCRUB,
        RunKind.RETENTION,
        RunKind.LOCK_EXTEND,
        RunKind.RESTORE_TEST,
        RunKind.DRILL,
        RunKind.REPORT,
    }
)

#: What happened longer ago is no news.
NEWS = timedelta(days=7)


def alarms(seen: Seen) -> Iterator[dict[str, Value]]:
    """What stands: of work that comes again."""
    for known in seen.ended_badly:
        if known.fact.kind in LASTING and _concerns(seen, known.fact):
            yield from _said(known, once=False)


def happened(seen: Seen) -> Iterator[dict[str, Value]]:
    """What is told once: of runs that somebody wanted."""
    for known in seen.ended_badly:
        if known.fact.kind not in LASTING and seen.now - known.recorded_at <= NEWS:
            yield from _said(known, once=True)


def _concerns(seen: Seen, ended: RunEnded) -> bool:
    """Whether there still is what it was about: what was taken out of the configuration is not."""
    program = seen.program
    if ended.kind == RunKind.REPORT:
        return True
    if ended.kind == RunKind.DRILL:
        return ended.name in program.runbooks.paths()
    if ended.kind == RunKind.REPLICATE:  # what it failed to bring, a backup may have brought since
        dataset = program.configuration.datasets.get(ended.name)
        return dataset is not None and any(s.owed_at for s in seen.stocks_of(dataset))
    return ended.name in (*program.configuration.datasets, RECORDS)


def _said(known: Known[RunEnded], *, once: bool) -> Iterator[dict[str, Value]]:
    ended = known.fact
    subject = f"{ended.kind} of {ended.name}"
    hint = f"see how: drorch run show {ended.run}"
    if ended.missed:
        missed = " and the ".join(ended.missed)
        message = f"the {subject} passed, but missed the {missed}: run {ended.run}"
        yield alarm(
            AlarmWord.OBJECTIVE_MISSED, subject, known.recorded_at, message, hint, once=once
        )
    else:
        why = f": {ended.why}" if ended.why else ""
        message = f"the {subject} failed{why}"
        yield alarm(AlarmWord.RUN_FAILED, subject, known.recorded_at, message, hint, once=once)
