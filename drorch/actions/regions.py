"""Actions that look at regions and at what the journal knows of them."""

import threading
from datetime import timedelta
from typing import Self

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import bucket_of, dataset_named, region_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.model import Region
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Cancellation, Tools
from drorch.storage.bucket import Bucket
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
    """A probe of a region that runs beside the work done there.

    restic takes more than a second to start and, against a dead region, hours to give up: the
    probe ends it. `cancel` is the work's own, cancelled with the outer one or by the probe.
    """

    def __init__(self, tools: Tools, region: Region, cancel: Cancellation) -> None:
        self.cancel = Cancellation()
        self._trouble: Observation | None = None
        self._forget = cancel.on_cancel(lambda: self.cancel.cancel(cancel.reason or "cancelled"))
        bucket = bucket_of(tools, region)  # secrets are fetched here, where an error is told
        self._thread = threading.Thread(target=self._look, args=(bucket,), daemon=True)
        self._thread.start()

    def _look(self, bucket: Bucket) -> None:
        trouble = probe(bucket, Depth.REACHABLE).trouble
        if trouble is not None:
            self._trouble = trouble
            self.cancel.cancel(trouble.message)

    def trouble(self) -> Observation | None:
        """What the probe found; waits for it, some seconds at most."""
        self._thread.join()
        return self._trouble

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()
        self._thread.join()
