"""Actions that look at regions and at what the journal knows of them."""

import threading
from datetime import timedelta
from typing import Self

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import bucket_of, dataset_named, region_named
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.errors import StorageError
from drorch.core.model import Region
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Cancellation, Tools
from drorch.storage.probe import Depth, Fact, probe


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


def _versioned(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    region = region_named(tools, arguments.text("region"))
    health = probe(bucket_of(tools, region), Depth.FULL)
    if health.trouble is not None:
        return failed(health.trouble.cause, health.trouble.message, health.trouble.hint)
    outputs: dict[str, Value] = {
        "region": region.name,
        "versions": health.versioning,
        "locks": health.locks,
    }
    if health.versioning is None:
        said = [f.message for f in health.facts if f.fact is Fact.VERSIONING and f.message]
        why = f": {said[0]}" if said else ""
        return errored(
            "unknown",
            f"whether region {region.name} keeps versions cannot be known{why}",
            "look at the bucket, and at whether the region's key may ask for its versioning",
            outputs=outputs,
        )
    if not health.versioning:
        return failed(
            "no-versions",
            f"region {region.name} keeps no versions: what is deleted or overwritten there is gone",
            "bring it from another region (drorch heal), or restore what still lies there; "
            "versions cannot be had afterwards",
            outputs=outputs,
        )
    return passed(outputs)


REGION_VERSIONED = make_action(
    ActionSpec(
        "region.versioned",
        "The region keeps versions, so that it can be rewound",
        (Parameter("region", Kind.REGION, doc="which region"),),
        ("region", "versions", "locks"),
        check=True,
        repeatable=True,
    ),
    _versioned,
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


#: How often a region is looked at while work is done there, in seconds.
_EVERY = 5.0


class Watched:
    """Probes of a region that run beside the work done there.

    restic takes more than a second to start and, against a dead region, a quarter of an hour to
    give up: a probe ends it. One that fails at the start does so at once; later, when the region
    was there, only after a second look. `cancel` is the work's own, cancelled with the outer one or
    by a probe. `asked`: somebody has just asked it, or does so now.
    """

    def __init__(
        self,
        tools: Tools,
        region: Region,
        cancel: Cancellation,
        *,
        every: float = _EVERY,
        asked: bool = False,
    ) -> None:
        self.cancel = Cancellation()
        self._trouble: StorageError | None = None
        self._every = every
        self._first = not asked
        self._over = threading.Event()
        self._forget = cancel.on_cancel(lambda: self.cancel.cancel(cancel.reason or "cancelled"))
        self._bucket = bucket_of(tools, region)  # secrets are fetched here, where an error is told
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        trouble = self._asked() if self._first else None
        while trouble is None and not self._over.wait(self._every):
            trouble = self._asked() and self._asked()
        if trouble is not None:
            self._trouble = trouble
            self.cancel.cancel(trouble.message)

    def _asked(self) -> StorageError | None:
        return probe(self._bucket, Depth.REACHABLE).error

    def trouble(self) -> StorageError | None:
        """Why the region cannot be used, or None; looks, which takes some seconds at most."""
        self._over.set()
        self._thread.join()
        return self._trouble or self._asked()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._forget()
