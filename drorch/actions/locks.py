"""The action that extends object locks before they lapse."""

from collections.abc import Sequence

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.places import bucket_of, dataset_named, region_named, repository_folder
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.facts import Locked
from drorch.core.model import Dataset, Region
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.storage.bucket import Bucket
from drorch.storage.extension import Extended, extend, repository_parts
from drorch.storage.faults import Cause
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.layout import listed
from drorch.storage.probe import Depth, probe

#: What drorch keeps in a region beside repositories.
RECORDS = ("control-plane/", "evidence/")

#: How many things a finding names.
_NAMED = 5


def _extend(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    region = region_named(tools, arguments.text("region"))
    name = arguments.text("dataset", "")
    dataset = dataset_named(tools, name) if name else None
    if region.object_lock is None:
        message = f"region {region.name} has no object_lock in the configuration"
        return failed(Cause.NO_LOCK, message, "set its `object_lock: {mode, keep}`")
    bucket = bucket_of(tools, region)
    trouble = probe(bucket, Depth.REACHABLE).trouble
    if trouble is not None:
        return failed(trouble.cause, trouble.message, trouble.hint)
    missing = _missing(tools, dataset, region, bucket) if dataset else ()
    done = extend(
        bucket,
        repository_parts(repository_folder(dataset)) if dataset else RECORDS,
        region.object_lock,
        now=tools.clock.now().at,
        hidden_too=bool(missing),
        progress=call.progress,
        cancel=call.cancel,
    )
    return _told(name, region, done, missing)


def _missing(tools: Tools, dataset: Dataset, region: Region, bucket: Bucket) -> tuple[str, ...]:
    """Snapshots that the journal knows to be in the region and that its listing does not show.

    Somebody deleted them behind drorch's back, and what they need may have gone with them: then
    the versions below delete markers are what has to be kept.
    """
    known = tools.knowledge.copies(dataset.name)
    held = {c.snapshot for c in known if c.region == region.name and not c.owed}
    if not held:
        return ()
    there = {n.id for n in listed(bucket, repository_folder(dataset), ObjectKind.SNAPSHOTS)}
    return tuple(sorted(held - there))


def _told(name: str, region: Region, done: Extended, missing: Sequence[str]) -> Result:
    outputs: dict[str, Value] = {
        "dataset": name,
        "region": region.name,
        "objects": done.objects,
        "extended": done.extended,
        "already": done.already,
        "horizon": done.horizon.isoformat().replace("+00:00", "Z") if done.horizon else None,
    }
    subject = f"{name or 'records'} in {region.name}"
    findings = (*_weak(subject, done), *_overwritten(subject, done))
    there = done.objects or missing
    fact = Locked(name, region.name, done.objects, done.horizon, tuple(missing[:_NAMED]))
    facts = (fact,) if there else ()
    if not missing:
        return passed(outputs, message=_sentence(done), findings=findings, facts=facts)
    named = ", ".join(snapshot[:8] for snapshot in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return failed(
        "deleted",
        f"{len(missing)} snapshot(s) of {name} that the journal knows are gone from region "
        f"{region.name}: {named}{more}; what still lies below delete markers was locked, too",
        f"find out who deleted them, then bring them back: drorch rewind --region {region.name} "
        f"--dataset {name} --to TIME",
        outputs=outputs,
        findings=findings,
        facts=facts,
    )


def _sentence(done: Extended) -> str:
    if done.horizon is None:
        return "nothing to lock"
    return (
        f"objects: {done.objects}, locked until {done.horizon:%Y-%m-%d %H:%M} UTC at least; "
        f"locks extended: {done.extended}"
    )


def _weak(subject: str, done: Extended) -> tuple[Finding, ...]:
    if not done.weak:
        return ()
    return (
        Finding(
            "lock.weak",
            subject,
            f"{done.weak} object(s) stay locked in governance mode only, which a key with the "
            "right to bypass it passes over",
            "let a key with s3:BypassGovernanceRetention extend them once, or wait until they "
            "are pruned; and set the bucket's own rule to compliance",
        ),
    )


def _overwritten(subject: str, done: Extended) -> tuple[Finding, ...]:
    if not done.overwritten:
        return ()
    named = ", ".join(done.overwritten[:_NAMED])
    return (
        Finding(
            "object.overwritten",
            subject,
            f"objects that never change have several contents: {named}; all of them were locked",
            "find out who wrote them; the one whose SHA-256 is the object's name is good, and "
            "`drorch rewind` brings it back",
        ),
    )


LOCK_EXTEND = make_action(
    ActionSpec(
        "lock.extend",
        "Lock every object that live snapshots need for as long as the region's object_lock says.",
        (
            Parameter("region", Kind.REGION, doc="which region; it needs an object_lock"),
            Parameter(
                "dataset",
                Kind.DATASET,
                required=False,
                doc="whose repository; left out: drorch's own records in the region",
            ),
        ),
        ("dataset", "region", "objects", "extended", "already", "horizon"),
        repeatable=True,
    ),
    _extend,
)
