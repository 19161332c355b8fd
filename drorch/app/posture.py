"""Use case `status`: how each dataset stands in each region, and what is wrong with that."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from drorch.app import deletions, endings, evidence, lateness, locks, overdue, promises
from drorch.app.alarm import alarm
from drorch.app.plane import posture as plane
from drorch.app.program import Program
from drorch.app.proofs import Proofs, proofs_of
from drorch.app.proving import Proof, Standing, proofs_of_runbooks, standings
from drorch.app.seen import Seen
from drorch.app.services import services_document
from drorch.app.suspicions import suspicions
from drorch.core.alarms import AlarmWord, ChannelTried
from drorch.core.document import rfc3339
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.lifecycle import failing
from drorch.core.model import Dataset
from drorch.core.names import RunKind, RunState
from drorch.core.posture import Stock
from drorch.core.telling import channels
from drorch.core.values import Value


def status(program: Program) -> dict[str, Value]:
    """The contract's document of `status --json`, from the journal alone: no region is asked."""
    seen = Seen(program)
    datasets: list[Value] = []
    alarms: list[Value] = []
    for dataset in program.configuration.datasets.values():
        stocks, proven = seen.stocks_of(dataset), proofs_of(seen, dataset)
        datasets.append(_dataset(seen, dataset, stocks, proven))
        alarms.extend(_dataset_alarms(seen, dataset, stocks, proven))
    known = standings(program)
    proofs = proofs_of_runbooks(program, seen.now, known)
    return {
        "at": rfc3339(seen.now),
        "datasets": datasets,
        "services": services_document(program),
        "drills": [proof.document() for proof in proofs],
        "control_plane": plane.document(program, seen.now),
        "alarms": [*alarms, *_other_alarms(seen, proofs, known)],
    }


def alarms_of(seen: Seen) -> list[dict[str, Value]]:
    """The alarms of `status` alone."""
    program = seen.program
    found: list[dict[str, Value]] = []
    for dataset in program.configuration.datasets.values():
        stocks, proven = seen.stocks_of(dataset), proofs_of(seen, dataset)
        found.extend(_dataset_alarms(seen, dataset, stocks, proven))
    known = standings(program)
    return [*found, *_other_alarms(seen, proofs_of_runbooks(program, seen.now, known), known)]


def _dataset(
    seen: Seen, dataset: Dataset, stocks: Sequence[Stock], proven: Mapping[str, Proofs]
) -> dict[str, Value]:
    owing = deletions.owing(seen, dataset)
    locked = locks.horizons(seen, dataset)
    rpo = dataset.objectives.rpo
    return {
        "dataset": dataset.name,
        "tier": dataset.tier,
        "rpo_s": rpo.total_seconds() if rpo else None,
        "copies": [
            _copy(seen, dataset, stock, rpo)
            | proven[stock.region].document(seen.now)
            | {"prune_owed": stock.region in owing, "locked_until": locked.get(stock.region)}
            for stock in stocks
        ],
    }


def _copy(seen: Seen, dataset: Dataset, stock: Stock, rpo: timedelta | None) -> dict[str, Value]:
    newest = stock.newest_at
    age = (seen.now - newest).total_seconds() if newest else None
    met = None
    if rpo is not None:
        met = age is not None and age <= rpo.total_seconds()
    jurisdiction = seen.program.configuration.regions[stock.region].jurisdiction
    return {
        "region": stock.region,
        "role": "primary" if stock.region == dataset.primary else _mode(dataset, stock.region),
        "snapshot": stock.snapshot,
        "snapshot_at": rfc3339(newest) if newest else None,
        "age_s": round(age, 3) if age is not None else None,
        "files": stock.files,
        "bytes": stock.bytes,
        "rpo_met": met,
        "owed": stock.owed_at is not None,
        "verified_at": rfc3339(stock.verified_at) if stock.verified_at else None,
        "restore_tested_at": rfc3339(stock.restore_tested_at) if stock.restore_tested_at else None,
        "jurisdiction": jurisdiction,
        "inside_residency": jurisdiction_within(jurisdiction, dataset.residency),
    }


def _mode(dataset: Dataset, region: str) -> str:
    return next(c.mode.value for c in dataset.copies if c.region == region)


def _dataset_alarms(
    seen: Seen, dataset: Dataset, stocks: Sequence[Stock], proven: Mapping[str, Proofs]
) -> Iterator[dict[str, Value]]:
    for stock in stocks:
        yield from promises.of_copy(seen, dataset, stock)
        yield from proven[stock.region].alarms(stock.oldest_at, seen.now)
    yield from promises.of_dataset(seen, dataset, stocks)
    yield from suspicions(seen, dataset)
    yield from deletions.alarms(seen, dataset)
    yield from locks.alarms(seen, dataset)


def _other_alarms(
    seen: Seen, proofs: Sequence[Proof], known: Mapping[str, Standing]
) -> Iterator[dict[str, Value]]:
    """Those that concern no single dataset."""
    yield from plane.alarms(seen.program, seen.now)
    yield from locks.record_alarms(seen)
    yield from _run_alarms(seen)
    yield from endings.alarms(seen)
    yield from lateness.alarms(seen)
    yield from _channel_alarms(seen)
    yield from evidence.alarms(seen.program)
    yield from _drill_alarms(proofs)
    yield from _readiness_alarms(seen.program, known)
    yield from overdue.alarms(seen)


def _run_alarms(seen: Seen) -> Iterator[dict[str, Value]]:
    from drorch.app.lives import state_word

    for row in seen.unfinished:
        if row.kind is RunKind.TELL:  # the next one tells what this one had to
            continue
        word = state_word(row)
        if word is RunState.INTERRUPTED:
            yield alarm(
                AlarmWord.RUN_INTERRUPTED,
                row.run,
                row.started_at,
                f"the process that carried run {row.run} is gone",
                f"go on with: drorch run resume {row.run}, or end it: drorch run abort {row.run}",
            )
        elif word is RunState.WAITING_FOR_PERSON:
            yield alarm(
                AlarmWord.RUN_WAITING,
                row.run,
                row.started_at,
                f"run {row.run} waits for a person",
                f"see what for: drorch run show {row.run}",
            )


def _drill_alarms(proofs: Sequence[Proof]) -> Iterator[dict[str, Value]]:
    for proof in proofs:
        if proof.overdue:
            yield alarm(
                AlarmWord.DRILL_OVERDUE,
                proof.runbook,
                proof.due_at,
                f"the drill of {proof.runbook} is overdue",
                f"practise it: drorch drill {proof.runbook}",
            )


def _readiness_alarms(
    program: Program, known: Mapping[str, Standing]
) -> Iterator[dict[str, Value]]:
    """Of every runbook in the folder, whether a service names it or not."""
    there = program.runbooks.paths() if known else ()
    for name, standing in known.items():
        if name in there and standing.wrong:
            yield _not_ready(name, standing)


def _not_ready(runbook: str, standing: Standing) -> dict[str, Value]:
    return alarm(
        AlarmWord.RUNBOOK_NOT_READY,
        runbook,
        standing.looked_at,
        f"{runbook} could not begin: {standing.first_wrong}",
        f"see to it, then look again: drorch runbook check {runbook} --ready",
    )


def _channel_alarms(seen: Seen) -> Iterator[dict[str, Value]]:
    tried = seen.facts(ChannelTried, "")
    for one in failing(tried, channels(seen.program.configuration.channels)):
        yield alarm(AlarmWord(one.what), one.subject, one.since, one.message, one.hint)
