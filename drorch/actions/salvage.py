"""A restore from regions that turn out damaged: healed and tried again, or taken from another one.

It never goes in circles: each region is tried, healed of what is known and tried once more; if none
could give it, the first is read whole, healed of what that shows, and tried a last time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from drorch.actions.choosing import SnapshotGone
from drorch.actions.heals import Healing, healed, some
from drorch.actions.places import bucket_of, repository_folder
from drorch.actions.proofs import known_damage
from drorch.core.errors import ResticError, StorageError
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset, Region
from drorch.core.values import Finding, Result, failed
from drorch.ports import Call, Tools
from drorch.restic.failure import Cause
from drorch.storage.faults import TRANSIENT
from drorch.storage.faults import Cause as Fault
from drorch.storage.layout import Kind
from drorch.storage.versions import keeps_versions

#: A restore's causes that may pass when the region is healed.
_MENDABLE = frozenset(
    {Cause.DAMAGED, Cause.WRONG_PASSWORD, Cause.KEYS_GONE, Cause.NO_REPOSITORY, "snapshot-gone"}
)

#: Causes for which another region is asked, while nothing can be healed.
_ELSEWHERE = frozenset(
    {Cause.ACCESS_DENIED, "no-snapshot", *TRANSIENT, Fault.DNS, Fault.TLS, Fault.CREDENTIALS}
)

#: How many objects a finding names.
_NAMED = 5

Trouble: TypeAlias = ResticError | StorageError


class Strictness(StrEnum):
    """Whether a snapshot that should be there may be passed over for an older one."""

    STRICT = "strict"
    LENIENT = "lenient"


Once: TypeAlias = Callable[[Region, Strictness], Result]


@dataclass(slots=True)
class _Story:
    """What has happened so far: which regions failed and why, and what was healed."""

    troubles: dict[str, Trouble] = field(default_factory=dict)
    healings: list[Healing] = field(default_factory=list)

    def told(self, result: Result, dataset: Dataset) -> Result:
        """The result, with what there is to say about the way to it."""
        kept = ("object.lost", "object.quarantined", "snapshot.lost")
        others = (f for h in self.healings for f in h.findings if f.what in kept)
        return replace(
            result,
            findings=(*self._findings(dataset), *others, *result.findings),
            copies=(*(c for h in self.healings for c in h.copies), *result.copies),
            facts=(*(f for h in self.healings for f in h.facts), *result.facts),
        )

    def _findings(self, dataset: Dataset) -> Iterator[Finding]:
        by_region: dict[str, list[str]] = {}
        for mended in (m for healing in self.healings for m in healing.done.healed):
            older = mended.source == mended.region
            source = "an older version" if older else mended.source
            by_region.setdefault(mended.region, []).append(f"{mended.name} from {source}")
        for region, names in by_region.items():
            trouble = self.troubles.get(region)
            said = f" ({trouble.message})" if trouble else ""
            yield Finding(
                "restore.healed",
                f"{dataset.name} in {region}",
                f"{region} was damaged{said}; {len(names)} object(s) were brought back: "
                + some(names, _NAMED),
                "find out what damaged it, and see that nothing else is: "
                f"drorch heal --dataset {dataset.name} --read-data",
            )
        for region, trouble in self.troubles.items():
            if region not in by_region:
                yield Finding(
                    "restore.elsewhere",
                    f"{dataset.name} in {region}",
                    f"{region} could not give it: {trouble.message}",
                    trouble.hint,
                )


def salvaged(
    call: Call, tools: Tools, dataset: Dataset, regions: Sequence[Region], once: Once
) -> Result:
    """What `once` gives from the first of these regions that can give it, healed if it must be.

    Raises what `once` raises when no healing would help and nothing has been healed yet.
    """
    story = _Story()
    for region in regions:
        result = _tried(call, tools, dataset, region, once, story)
        if result is not None:
            return story.told(result, dataset)
    for last_resort in (_read_whole, _older):
        result = last_resort(call, tools, dataset, regions, once, story)
        if result is not None:
            return story.told(result, dataset)
    trouble = story.troubles[regions[0].name]
    if not story.healings:
        raise trouble
    return story.told(_given_up(trouble, story), dataset)


def _tried(
    call: Call, tools: Tools, dataset: Dataset, region: Region, once: Once, story: _Story
) -> Result | None:
    """Try a region, heal it of what is known, try once more; None if another may do better."""
    if known_damage(tools, dataset, region):
        story.healings.append(healed(call, tools, dataset, [region.name]))
    trouble = _attempt(region, once, story)
    if isinstance(trouble, Result) or trouble.cause not in _MENDABLE:
        return trouble if isinstance(trouble, Result) else None
    names = _full_names(tools, dataset, region, trouble)
    healing = healed(call, tools, dataset, [region.name], suspects={region.name: names})
    return _again(region, once, story, healing)


def _read_whole(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    regions: Sequence[Region],
    once: Once,
    story: _Story,
) -> Result | None:
    """Only a full read tells what else is damaged: of the first region that there is help for."""
    for region in regions:
        damaged = story.troubles[region.name].cause == Cause.DAMAGED
        if damaged and not call.cancel.cancelled and _may_help(tools, dataset, region):
            healing = healed(call, tools, dataset, [region.name], read_data=True)
            return _again(region, once, story, healing)
    return None


def _may_help(tools: Tools, dataset: Dataset, region: Region) -> bool:
    """Whether there is anywhere to take whole objects from."""
    if len(same_repository(dataset, region.name)) > 1:
        return True
    try:
        return keeps_versions(bucket_of(tools, region))
    except StorageError:
        return False


def _again(region: Region, once: Once, story: _Story, healing: Healing) -> Result | None:
    story.healings.append(healing)
    if not any(mended.region == region.name for mended in healing.done.healed):
        return None
    before = story.troubles[region.name]
    result = _attempt(region, once, story)
    if isinstance(result, Result):
        story.troubles[region.name] = before
        return result
    return None


def _attempt(region: Region, once: Once, story: _Story) -> Result | Trouble:
    """Restore, or why it could not be; raises what no other region and no healing would help."""
    try:
        return once(region, Strictness.STRICT)
    except (ResticError, StorageError) as error:
        if error.cause not in _MENDABLE | _ELSEWHERE:
            if story.healings:
                return _ended(error)
            raise
        story.troubles[region.name] = error
        return error


def _ended(error: Trouble) -> Result:
    """A failure that has nothing to do with damage; what was healed before it is told all the same."""
    return failed(error.cause, error.message, error.hint)


def _older(
    call: Call,  # noqa: ARG001 - every last resort has this shape
    tools: Tools,  # noqa: ARG001
    dataset: Dataset,  # noqa: ARG001
    regions: Sequence[Region],
    once: Once,
    story: _Story,
) -> Result | None:
    """The snapshot that should be there is nowhere: the newest that is there must do."""
    for region in regions:
        if isinstance(story.troubles.get(region.name), SnapshotGone):
            try:
                return once(region, Strictness.LENIENT)
            except (ResticError, StorageError) as error:
                story.troubles[region.name] = error
    return None


def _given_up(trouble: Trouble, story: _Story) -> Result:
    lost = sorted({name for healing in story.healings for name in healing.done.lost})
    nowhere = f"; whole in no region that answers: {some(lost, _NAMED)}" if lost else ""
    return failed(trouble.cause, f"{trouble.message}{nowhere}", trouble.hint)


def _full_names(tools: Tools, dataset: Dataset, region: Region, trouble: Trouble) -> list[str]:
    """What restic complained of, by whole names, as far as the region shows it."""
    bucket, folder = bucket_of(tools, region), repository_folder(dataset)
    found = []
    for mentioned in getattr(trouble, "objects", ()):
        kind, _, key = mentioned.partition("/")
        below = f"{kind}/{key[:2]}/{key}" if kind == Kind.DATA else f"{kind}/{key}"
        listing = bucket.list_objects(f"{folder}/{below}")
        found += [entry.name.removeprefix(f"{folder}/") for entry in listing]
    return found
