"""Use case `status`: how each dataset stands in each region, and what is wrong with that."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from drorch.app import deletions, endings, locks
from drorch.app.alarm import alarm
from drorch.app.program import Program
from drorch.app.proofs import Proofs, proofs_of
from drorch.app.proving import Proof, Standing, proofs_of_runbooks, standings
from drorch.app.services import services_document
from drorch.app.suspicions import suspicions
from drorch.core.alarms import AlarmWord, ChannelTried
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.lifecycle import failing
from drorch.core.model import Dataset, jurisdiction_within
from drorch.core.names import RunKind, RunState
from drorch.core.posture import KnownCopy
from drorch.core.telling import channels
from drorch.core.values import Value


def status(program: Program) -> dict[str, Value]:
    """The contract's document of `status --json`, from the journal alone: no region is asked."""
    now = program.clock.now().at
    datasets: list[Value] = []
    alarms: list[Value] = []
    for dataset in program.configuration.datasets.values():
        proven = proofs_of(program, dataset, now)
        datasets.append(_dataset(program, dataset, proven, now))
        alarms.extend(_dataset_alarms(program, dataset, proven, now))
    proofs = proofs_of_runbooks(program, now)
    return {
        "at": rfc3339(now),
        "datasets": datasets,
        "services": services_document(program),
        "drills": [proof.document() for proof in proofs],
        "alarms": [*alarms, *_other_alarms(program, proofs, now)],
    }


def alarms_of(program: Program, now: datetime) -> list[dict[str, Value]]:
    """The alarms of `status` alone."""
    found: list[dict[str, Value]] = []
    for dataset in program.configuration.datasets.values():
        proven = proofs_of(program, dataset, now)
        found.extend(_dataset_alarms(program, dataset, proven, now))
    return [*found, *_other_alarms(program, proofs_of_runbooks(program, now), now)]


def _dataset_alarms(
    program: Program, dataset: Dataset, proven: Mapping[str, Proofs], now: datetime
) -> Iterator[dict[str, Value]]:
    yield from _alarms(program, dataset, proven, now)
    yield from locks.alarms(program, dataset, now)


def _other_alarms(
    program: Program, proofs: Sequence[Proof], now: datetime
) -> Iterator[dict[str, Value]]:
    """Those that concern no single dataset."""
    yield from locks.record_alarms(program, now)
    yield from _run_alarms(program)
    yield from endings.alarms(program)
    yield from _channel_alarms(program)
    yield from _drill_alarms(proofs)
    yield from _readiness_alarms(program)


def _dataset(
    program: Program, dataset: Dataset, proven: Mapping[str, Proofs], now: datetime
) -> dict[str, Value]:
    known = program.journal.copies(dataset.name)
    owing = deletions.owing(program, dataset)
    locked = locks.horizons(program, dataset)
    rpo = dataset.objectives.rpo
    return {
        "dataset": dataset.name,
        "tier": dataset.tier,
        "rpo_s": rpo.total_seconds() if rpo else None,
        "copies": [
            _copy(program, dataset, region, known, now)
            | proven[region].document(now)
            | {"prune_owed": region in owing, "locked_until": locked.get(region)}
            for region in dataset.regions
        ],
    }


def _copy(
    program: Program, dataset: Dataset, region: str, known: Sequence[KnownCopy], now: datetime
) -> dict[str, Value]:
    held = [c for c in known if c.region == region and not c.owed]
    newest = held[0] if held else None
    age = (now - newest.snapshot_at).total_seconds() if newest else None
    rpo = dataset.objectives.rpo
    met = None
    if rpo is not None:
        met = age is not None and age <= rpo.total_seconds()
    verified = max((c.verified_at for c in held if c.verified_at), default=None)
    tested = max((c.restore_tested_at for c in held if c.restore_tested_at), default=None)
    return {
        "region": region,
        "role": "primary" if region == dataset.primary else _mode(dataset, region),
        "snapshot": newest.snapshot if newest else None,
        "snapshot_at": rfc3339(newest.snapshot_at) if newest else None,
        "age_s": round(age, 3) if age is not None else None,
        "files": newest.files if newest else None,
        "bytes": newest.bytes if newest else None,
        "rpo_met": met,
        "owed": _owed(known, region) is not None,
        "verified_at": rfc3339(verified) if verified else None,
        "restore_tested_at": rfc3339(tested) if tested else None,
        "jurisdiction": program.configuration.regions[region].jurisdiction,
        "inside_residency": jurisdiction_within(
            program.configuration.regions[region].jurisdiction, dataset.residency
        ),
    }


def _mode(dataset: Dataset, region: str) -> str:
    return next(c.mode.value for c in dataset.copies if c.region == region)


def _owed(known: Sequence[KnownCopy], region: str) -> KnownCopy | None:
    return next((c for c in known if c.region == region and c.owed), None)


def _alarms(
    program: Program, dataset: Dataset, proven: Mapping[str, Proofs], now: datetime
) -> Iterator[dict[str, Value]]:
    known = program.journal.copies(dataset.name)
    rpo = dataset.objectives.rpo
    for region in dataset.regions:
        subject = f"{dataset.name} in {region}"
        held = [c for c in known if c.region == region and not c.owed]
        owed = _owed(known, region)
        if not held:
            yield alarm(
                AlarmWord.COPY_MISSING,
                subject,
                None,
                f"{region} holds no snapshot of {dataset.name}",
                f"make one: drorch backup {dataset.name}",
            )
        elif rpo is not None and now - held[0].snapshot_at > rpo:
            age = format_duration(now - held[0].snapshot_at)
            yield alarm(
                AlarmWord.RPO_BREACHED,
                subject,
                held[0].snapshot_at + rpo,
                f"the newest snapshot of {dataset.name} in {region} is {age} old; "
                f"promised are {format_duration(rpo)}",
                f"back it up: drorch backup {dataset.name}",
            )
        if owed is not None:
            yield alarm(
                AlarmWord.COPY_OWED,
                subject,
                owed.recorded_at,
                f"{region} is owed the copy of {dataset.name} from {rfc3339(owed.snapshot_at)}",
                f"bring it there: drorch replicate --dataset {dataset.name} --region {region}",
            )
        yield from proven[region].alarms(held, now)
    yield from suspicions(program, dataset)
    yield from deletions.alarms(program, dataset)


def _run_alarms(program: Program) -> Iterator[dict[str, Value]]:
    from drorch.app.runs import state_word

    for row in program.journal.rows(unfinished=True):
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


def _readiness_alarms(program: Program) -> Iterator[dict[str, Value]]:
    """Of every runbook in the folder, whether a service names it or not."""
    there = program.runbooks.paths()
    for name, standing in standings(program).items():
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


def _channel_alarms(program: Program) -> Iterator[dict[str, Value]]:
    tried = program.journal.facts(ChannelTried, "")
    for one in failing(tried, channels(program.configuration.notify)):
        yield alarm(AlarmWord(one.what), one.subject, one.since, one.message, one.hint)
