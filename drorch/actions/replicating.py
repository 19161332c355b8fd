"""The action that brings regions what they lack: mirrors made equal, and copies by restic."""

from collections.abc import Sequence

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.gateways import buckets_of, gone_of
from drorch.actions.genuine import Genuineness, first_contact, judge_of, quarantine
from drorch.actions.lists import pruned_before
from drorch.actions.owing import learned, owed_copy
from drorch.actions.places import dataset_named, region_named, repository_folder
from drorch.actions.revoking import revocations
from drorch.actions.windows import flow_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.facts import Fact, KeyKnown, Quarantined
from drorch.core.mirrors import is_mirror
from drorch.core.model import Dataset
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.storage.mirror import MirrorDone, unite

#: How many damaged objects a finding names.
_NAMED = 10


def _replicate(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    wanted = _wanted(arguments, dataset)
    for name in wanted:
        region_named(tools, name)
    level = {str(name) for name in arguments.list("level", ())}
    behind = [name for name in wanted if name not in level]
    copies = [name for name in behind if not is_mirror(dataset, name)]
    if copies and len(wanted) > 1:
        raise WrongArgument(
            f"regions: {copies[0]} has a repository of its own", "name it alone, as `region`"
        )
    if copies:
        from drorch.actions.copying import copy_to

        return copy_to(call, tools, dataset, region_named(tools, copies[0]))
    return _level(call, tools, dataset, wanted, behind)


def _wanted(arguments: Arguments, dataset: Dataset) -> list[str]:
    if arguments.has("region"):
        return [arguments.text("region")]
    return [str(name) for name in arguments.list("regions", dataset.mirrors)]


def _level(
    call: Call, tools: Tools, dataset: Dataset, wanted: Sequence[str], behind: Sequence[str]
) -> Result:
    """Make the mirrors equal, as far as they live."""
    judge = judge_of(tools, dataset, dataset.primary)
    done = _united(call, tools, dataset, behind, judge) if behind else {}
    held = [learned(tools, dataset, region, one) for region, one in done.items()]
    troubles = {region: one.trouble for region, one in done.items() if one.trouble is not None}
    owed = [owed_copy(tools, dataset, region, trouble) for region, trouble in troubles.items()]
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "regions": list(wanted),
        "objects": sum(one.copied for one in done.values()),
        "bytes": sum(one.bytes for one in done.values()),
        "snapshots": max((len(one.snapshots_present) for one in done.values()), default=None),
    }
    revoked, removed = revocations(tools, dataset, dataset.primary, due=bool(behind))
    copies = (*(fact for facts in held for fact in facts), *(f for f, _ in owed if f is not None))
    strange, quarantined = _quarantined(tools, dataset, done, judge)
    damage = _damage(dataset, done)
    findings = (*(finding for _, finding in owed), *damage, *strange, *revoked)
    facts: tuple[Fact, ...] = (*quarantined, *removed, *_known(tools, dataset, done))
    trouble = next(iter(troubles.values()), None)
    if trouble is None and not damage:
        message = "" if behind else "everything was written while the backup ran"
        return passed(outputs, message=message, findings=findings, copies=copies, facts=facts)
    cause, message, hint = (
        (trouble.cause, trouble.message, trouble.hint)
        if trouble is not None
        else (
            "damaged",
            damage[0].message,
            (
                "the replica stays at its last whole snapshot; check the repository with: "
                f"drorch check --dataset {dataset.name} --read-data"
            ),
        )
    )
    return failed(
        cause, message, hint, outputs=outputs, findings=findings, copies=copies, facts=facts
    )


def _known(tools: Tools, dataset: Dataset, done: dict[str, MirrorDone]) -> tuple[KeyKnown, ...]:
    answered = next((region for region, one in done.items() if one.trouble is None), None)
    return first_contact(tools, dataset, answered) if answered is not None else ()


def _quarantined(
    tools: Tools, dataset: Dataset, done: dict[str, MirrorDone], judge: Genuineness
) -> tuple[tuple[Finding, ...], tuple[Quarantined, ...]]:
    """What lies in some region and is not ours; each region that was listed is told of."""
    strange: dict[str, dict[str, str]] = {}
    for one in done.values():
        for region, name, why in one.quarantined:
            strange.setdefault(region, {})[name] = why
    listed = [r for r, one in done.items() if one.trouble is None] if done else []
    told = [
        quarantine(tools, dataset, region, strange.get(region, {}), judge)
        for region in dict.fromkeys((*strange, *listed))
    ]
    findings = tuple(finding for found, _ in told for finding in found)
    return findings, tuple(fact for _, facts in told for fact in facts)


def _united(
    call: Call, tools: Tools, dataset: Dataset, behind: Sequence[str], judge: Genuineness
) -> dict[str, MirrorDone]:
    """By region that is behind, what came of it."""
    regions = [region_named(tools, name) for name in dataset.mirrors]
    buckets, absent = buckets_of(tools, regions)
    targets = [b for b in buckets if b.region.name in behind]
    found = {region: MirrorDone(trouble=trouble) for region, trouble in absent.items()}
    if targets and len(buckets) > 1:
        found |= unite(
            buckets,
            repository_folder(dataset),
            targets=targets,
            gone=gone_of(tools, dataset),
            owing=pruned_before(tools, dataset),
            judge=judge,
            judge_config=judge.config,
            flow=flow_of(tools, dataset),
            progress=call.progress,
            cancel=call.cancel,
        )
    elif targets:
        alone = next(iter(absent.values()))
        found |= {b.region.name: MirrorDone(trouble=alone) for b in targets}
    return {name: found[name] for name in behind}


def _damage(dataset: Dataset, done: dict[str, MirrorDone]) -> list[Finding]:
    by_region: dict[str, set[str]] = {}
    for one in done.values():
        for region, name in one.damaged:
            by_region.setdefault(region, set()).add(name)
    damaged = [
        Finding(
            "object.damaged",
            f"{dataset.name} in {region}",
            f"{len(names)} object(s) in region {region} are not what their names say; they were "
            f"not copied: {', '.join(sorted(names)[:_NAMED])}",
            f"mend them from the other regions: drorch heal --dataset {dataset.name}",
        )
        for region, names in by_region.items()
    ]
    owed = [
        Finding(
            "copy.owed",
            f"{dataset.name} in {region}",
            f"{len(one.held_back)} snapshot(s) are held back, as they may rest on what is damaged",
            f"mend the damage first: drorch heal --dataset {dataset.name} --read-data",
        )
        for region, one in done.items()
        if one.held_back
    ]
    return [*damaged, *owed]


REPLICATE = make_action(
    ActionSpec(
        "replicate",
        "Bring regions what they lack of a dataset: all its mirrors, or those named.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="only this one"),
            Parameter("regions", Kind.LIST, required=False, doc="these mirrors; default: all"),
            Parameter("level", Kind.LIST, required=False, doc="regions known to lack nothing"),
        ),
        ("dataset", "region", "regions", "objects", "bytes", "snapshots", "copied"),
        repeatable=True,
    ),
    _replicate,
)
