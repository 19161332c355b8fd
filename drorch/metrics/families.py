"""Overview and the daemon's state as families of metrics: what each is called, and where it comes from.

Names and units follow Prometheus' conventions: base units, `_total` on counters, instants as
seconds since 1970. What is not known has no sample. docs/monitoring.md lists them all.
"""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from drorch import __version__
from drorch.core.jobs import JobKind
from drorch.core.names import Outcome, SlotFate
from drorch.core.values import Value
from drorch.core.vitals import Counted, DaemonState, EndedRuns, Overview
from drorch.metrics.lines import Family, labelled


@dataclass(frozen=True, slots=True)
class _Told:
    """One gauge: its name after the prefix, what it says, the key it comes from, how it is read."""

    name: str
    says: str
    key: str
    read: Callable[[Value], float | None]


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, bool | int | float) else None


def _instant(value: Value) -> float | None:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) else None


_COPIES = (
    _Told("age_seconds", "Age of the newest snapshot in the region.", "age_s", _number),
    _Told(
        "snapshot_timestamp_seconds",
        "When the newest snapshot in the region was made.",
        "snapshot_at",
        _instant,
    ),
    _Told("snapshot_bytes", "What the newest snapshot holds.", "bytes", _number),
    _Told("snapshot_files", "How many files the newest snapshot holds.", "files", _number),
    _Told("rpo_met", "Whether the newest snapshot is as young as promised.", "rpo_met", _number),
    _Told("owed", "Whether the region is owed a copy.", "owed", _number),
    _Told("prune_owed", "Whether what was pruned elsewhere is still there.", "prune_owed", _number),
    _Told(
        "verified_timestamp_seconds",
        "When a snapshot in the region was last verified.",
        "verified_at",
        _instant,
    ),
    _Told(
        "restore_tested_timestamp_seconds",
        "When a snapshot was last restored from the region and compared.",
        "restore_tested_at",
        _instant,
    ),
    _Told(
        "scrubbed_timestamp_seconds",
        "Since when at least every object there was hashed against its name.",
        "scrubbed_at",
        _instant,
    ),
    _Told(
        "scrubbed_ratio",
        "The share of objects that were hashed within the promised age.",
        "scrubbed_share",
        _number,
    ),
    _Told("damaged_objects", "Objects known to be damaged or lost.", "damaged", _number),
    _Told(
        "locked_until_timestamp_seconds",
        "Until when every object that a live snapshot needs cannot be deleted.",
        "locked_until",
        _instant,
    ),
    _Told(
        "inside_residency",
        "Whether the region lies where the data may be.",
        "inside_residency",
        _number,
    ),
)

_DRILLS = (
    _Told("due_timestamp_seconds", "When the next drill is to have passed.", "due_at", _instant),
    _Told("overdue", "Whether the drill is overdue.", "overdue", _number),
    _Told(
        "needs_verification",
        "Whether something speaks against relying on the runbook.",
        "needs_verification",
        _number,
    ),
    _Told(
        "ready_timestamp_seconds",
        "When all of the runbook's preconditions last held.",
        "readiness_proven_at",
        _instant,
    ),
)


_DATASETS = (
    _Told("rpo_seconds", "How old the newest snapshot may be, as promised.", "rpo_s", _number),
    _Told("tier", "The dataset's tier; 1 comes first.", "tier", _number),
)

_ALARMS = (_Told("since_timestamp_seconds", "Since when, where that is known.", "since", _instant),)

_LAST_RUNS: tuple[tuple[str, str, Callable[[EndedRuns], float]], ...] = (
    (
        "finished_timestamp_seconds",
        "When the newest run of the dataset or runbook ended.",
        lambda ended: ended.finished_at.timestamp(),
    ),
    (
        "duration_seconds",
        "How long the newest run took.",
        # The wall clock may have been set meanwhile.
        lambda ended: max(0.0, (ended.finished_at - ended.started_at).total_seconds()),
    ),
    (
        "passed",
        "Whether the newest run passed.",
        lambda ended: float(ended.outcome is Outcome.PASSED),
    ),
)


def overview_families(overview: Overview) -> Iterator[Family]:
    """What is protected and how it stands, what has run, and what became of slots."""
    yield Family(
        "drorch_posture_timestamp_seconds",
        "When the posture was taken that is told here.",
        [("", overview.at.timestamp())],
    )
    datasets = _mappings(overview.posture.get("datasets"))
    rows = [(labelled({"dataset": str(dataset["dataset"])}), dataset) for dataset in datasets]
    yield from _gauges("drorch_dataset_", _DATASETS, rows)
    yield from _copy_families(datasets)
    yield from _drill_families(_mappings(overview.posture.get("drills")))
    yield from _alarm_families(_mappings(overview.posture.get("alarms")))
    yield from _run_families(overview)
    yield _slots(overview.counted)
    yield Family(
        "drorch_notify_consecutive_failures",
        "How many messages in a row the channel has not taken.",
        [
            (labelled({"channel": channel}), count)
            for channel, count in sorted(overview.untold.items())
        ],
    )


def _slots(counted: Counted) -> Family:
    """All kinds and fates: a counter that comes to be with its first miss has no increase."""
    return Family(
        "drorch_slots",
        "Moments at which a job was due: fired, fired late, missed.",
        [
            (labelled({"kind": kind.value, "fate": fate.value}), counted.slots.get(key, 0))
            for kind in JobKind
            for fate in SlotFate
            for key in [(kind.value, fate.value)]
        ],
        "counter",
    )


def _mappings(value: Value) -> list[Mapping[str, Value]]:
    """The mappings in a list of a JSON document."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def _gauges(
    prefix: str, told: Iterable[_Told], rows: Sequence[tuple[str, Mapping[str, Value]]]
) -> Iterator[Family]:
    for one in told:
        yield Family(prefix + one.name, one.says, _known(one, rows))


def _known(
    told: _Told, rows: Sequence[tuple[str, Mapping[str, Value]]]
) -> Iterator[tuple[str, float]]:
    for labels, row in rows:
        value = told.read(row.get(told.key))
        if value is not None:
            yield labels, value


def _copy_families(datasets: Iterable[Mapping[str, Value]]) -> Iterator[Family]:
    named = [
        ({"dataset": str(dataset["dataset"]), "region": str(copy["region"])}, copy)
        for dataset in datasets
        for copy in _mappings(dataset.get("copies"))
    ]
    yield Family(
        "drorch_copy",
        "What a region is to a dataset, and where it lies.",
        (
            (
                labelled(
                    names | {"role": str(copy["role"]), "jurisdiction": str(copy["jurisdiction"])}
                ),
                1,
            )
            for names, copy in named
        ),
        "info",
    )
    rows = [(labelled(names), copy) for names, copy in named]
    yield from _gauges("drorch_copy_", _COPIES, rows)


def _drill_families(drills: Sequence[Mapping[str, Value]]) -> Iterator[Family]:
    rows = [(labelled({"runbook": str(drill["runbook"])}), drill) for drill in drills]
    yield from _gauges("drorch_drill_", _DRILLS, rows)
    yield Family(
        "drorch_drill_last_outcome",
        "How the last drill that ended came out: 1 for that outcome, 0 for the others.",
        [
            (
                labelled({"runbook": str(drill["runbook"]), "outcome": outcome.value}),
                float(outcome == drill["last_outcome"]),
            )
            for drill in drills
            if drill.get("last_outcome") is not None
            for outcome in Outcome
        ],
    )


def _alarm_families(alarms: Sequence[Mapping[str, Value]]) -> Iterator[Family]:
    yield Family("drorch_alarms", "How many alarms there are.", [("", len(alarms))])
    # Two alarms of one word and subject are one series: twice would be no exposition at all.
    newest = {
        labelled({"what": str(alarm["what"]), "subject": str(alarm["subject"])}): alarm
        for alarm in alarms
    }
    yield Family("drorch_alarm", "1 for each alarm there is.", [(labels, 1) for labels in newest])
    yield from _gauges("drorch_alarm_", _ALARMS, list(newest.items()))


def _run_families(overview: Overview) -> Iterator[Family]:
    runs = overview.counted.runs
    counts = {(ended.kind.value, outcome.value): 0 for ended in runs for outcome in Outcome}
    for ended in runs:
        counts[ended.kind.value, ended.outcome.value] += ended.count
    yield Family(
        "drorch_runs",
        "Runs that have ended.",
        [
            (labelled({"kind": kind, "outcome": outcome}), count)
            for (kind, outcome), count in sorted(counts.items())
        ],
        "counter",
    )
    last = {(e.kind, e.name): e for e in sorted(runs, key=lambda e: e.finished_at)}
    rows = [
        (labelled({"kind": kind.value, "name": name}), ended)
        for (kind, name), ended in last.items()
    ]
    for name, says, told in _LAST_RUNS:
        yield Family(f"drorch_run_last_{name}", says, [(labels, told(e)) for labels, e in rows])


def state_families(state: DaemonState) -> Iterator[Family]:
    """How the daemon itself stands."""
    yield from _daemon_families(state)
    yield from _configuration_families(state)


def _daemon_families(state: DaemonState) -> Iterator[Family]:
    gauges = (
        ("ready", "Whether it has its configuration, its journal and its jobs.", not state.unready),
        ("healthy", "Whether its loop turns and its journal can be opened.", not state.unhealthy),
        ("stands_back", "Whether another control plane is in charge.", bool(state.held)),
        ("start_timestamp_seconds", "When it was started.", state.started.at.timestamp()),
        ("turned_timestamp_seconds", "When its loop last came round.", state.turned.at.timestamp()),
        ("jobs", "Jobs that are scheduled.", state.jobs),
        ("runs_queued", "Runs that are due and wait for their turn.", state.queued),
        ("runs_running", "Runs under way.", state.running),
        ("runs_limit", "Runs that may be under way at once.", state.parallel),
    )
    for name, says, value in gauges:
        yield Family(f"drorch_daemon_{name}", says, [("", float(value))])


def _configuration_families(state: DaemonState) -> Iterator[Family]:
    yield Family(
        "drorch_configuration",
        "The configuration in force.",
        [(labelled({"digest": state.configuration}), 1)],
        "info",
    )
    yield Family(
        "drorch_configuration_last_reload_successful",
        "Whether the newest text of the configuration is in force.",
        [("", float(state.refused_at is None))],
    )
    since = state.configured_at
    yield Family(
        "drorch_configuration_timestamp_seconds",
        "Since when the configuration is in force.",
        [("", since.timestamp())] if since is not None else [],
    )


def build_family() -> Family:
    """Which drorch, on which Python."""
    told = {"version": __version__, "python": platform.python_version()}
    return Family("drorch_build", "Which drorch, on which Python.", [(labelled(told), 1)], "info")
