"""Actions that look at regions and at what the journal knows of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import bucket_of, dataset_named, region_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.model import Region
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Cancellation, Tools
from drorch.storage.probe import Depth, Observation, probe


def _reachable(call: Call, tools: Tools) -> Result:
    region = region_named(tools, Arguments.of(call, tools).text("region"))
    health = probe(bucket_of(tools, region), Depth.REACHABLE)
    outputs: dict[str, Value] = {
        "region": region.name,
        "elapsed_s": round(health.elapsed.total_seconds(), 3),
    }
    if health.trouble is None:
        return passed(outputs)
    return failed(
        health.trouble.cause, health.trouble.message, health.trouble.hint, outputs=outputs
    )


REGION_REACHABLE = make_action(
    ActionSpec(
        "region.reachable",
        "The region answers, knows our credentials and has the bucket.",
        (Parameter("region", Kind.REGION, doc="which region"),),
        ("region", "elapsed_s"),
        check=True,
        repeatable=True,
    ),
    _reachable,
)


def _snapshot_age(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region", dataset.primary))
    limit = arguments.duration("max", dataset.objectives.rpo or timedelta())
    if not limit:
        return errored(
            "argument",
            f"dataset {dataset.name} promises no RPO, and no `max` is given",
            "give `max` under `with:`, or the dataset an rpo",
        )
    held = [c for c in tools.knowledge.copies(dataset.name) if c.region == region.name]
    held = [c for c in held if not c.owed]
    if not held:
        return failed(
            "no-snapshot",
            f"region {region.name} holds no snapshot of {dataset.name} that the journal knows",
            f"back it up with: drorch backup {dataset.name}",
        )
    age = tools.clock.now().at - held[0].snapshot_at
    outputs: dict[str, Value] = {
        "snapshot": held[0].snapshot,
        "age_s": round(age.total_seconds(), 3),
    }
    if age <= limit:
        return passed(outputs)
    return failed(
        "too-old",
        f"the newest snapshot of {dataset.name} in {region.name} is {format_duration(age)} old, "
        f"more than {format_duration(limit)}",
        f"back it up with: drorch backup {dataset.name}",
        outputs=outputs,
    )


SNAPSHOT_AGE = make_action(
    ActionSpec(
        "snapshot.age",
        "The newest snapshot in a region is not older than allowed.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="default: the primary"),
            Parameter("max", Kind.DURATION, required=False, doc="default: the dataset's RPO"),
        ),
        ("snapshot", "age_s"),
        check=True,
        repeatable=True,
    ),
    _snapshot_age,
)


class Watched:
    """What a probe that runs beside the work has found so far."""

    def __init__(self) -> None:
        self.trouble: Observation | None = None


@contextmanager
def watched(
    tools: Tools, region: Region, cancel: Cancellation
) -> Iterator[tuple[Watched, Cancellation]]:
    """Probe a region while something is done with it: a dead one ends the work.

    restic takes more than a second to start and, against a dead region, hours to give up. The
    Cancellation handed out is the work's: it is cancelled with the outer one, or by the probe.
    """
    found = Watched()
    inner = Cancellation()
    unregister = cancel.on_cancel(lambda: inner.cancel(cancel.reason or "cancelled"))
    bucket = bucket_of(tools, region)  # secrets are fetched here, where an error is told

    def look() -> None:
        health = probe(bucket, Depth.REACHABLE)
        if health.trouble is not None:
            found.trouble = health.trouble
            inner.cancel(health.trouble.message)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield found, inner
    finally:
        unregister()
        thread.join()
