"""Plans that nobody writes, from a dataset's policy: backup, copies, restore, checks, locks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from drorch.core.errors import UsageError
from drorch.core.model import Configuration, Dataset
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.planning import check_region as _check_region
from drorch.core.planning import plan_of as _plan
from drorch.core.planning import policy_of as _dataset
from drorch.core.render import literal
from drorch.core.values import Value

#: The name of runs that concern drorch's own records in regions.
RECORDS = "records"


def compile_backup(dataset: str, configuration: Configuration) -> Plan:
    """The plan of a dataset's backup: its commands before, the backup, copies, commands after."""
    policy = _dataset(dataset, configuration)
    before = [
        _command(f"before-{number}", Phase.STEPS, argv, _after(number, "before"))
        for number, argv in enumerate(policy.before, 1)
    ]
    backup = PlannedStep(
        "backup",
        Phase.STEPS,
        "backup",
        {"dataset": dataset, "region": policy.primary},
        needs=tuple(step.id for step in before[-1:]),
        repeatable=True,
    )
    copies = _replications(policy, policy.regions, after_backup=True)
    after = [
        _command(f"after-{number}", Phase.CLEANUP, argv, _after(number, "after"))
        for number, argv in enumerate(policy.after, 1)
    ]
    title = f"Back up {dataset}"
    return _plan(RunKind.BACKUP, policy, configuration, title, (*before, backup, *copies, *after))


def compile_replicate(dataset: str, regions: Sequence[str], configuration: Configuration) -> Plan:
    """The plan that brings the dataset's regions (all, if none is named) what they lack."""
    policy = _dataset(dataset, configuration)
    for region in regions:
        _check_region(policy, region)
    if not policy.copies:
        hint = "name further regions under its `copies:`"
        raise UsageError(f"dataset {dataset!r} has no copies", hint)
    steps = tuple(_replications(policy, regions or policy.regions))
    return _side_by_side(
        _plan(RunKind.REPLICATE, policy, configuration, f"Replicate {dataset}", steps)
    )


def compile_restore(
    dataset: str,
    configuration: Configuration,
    *,
    to: Path,
    region: str | None = None,
    at: datetime | None = None,
    include: Sequence[str] = (),
    purpose: str = "",
    verify: bool = False,
) -> Plan:
    """The plan of a restore into a folder; `at` (aware) is the newest moment wanted. With `verify`
    what came back is held against its snapshot, byte by byte.

    Restores of a dataset may run beside each other, but not into the same folder.
    """
    policy = _dataset(dataset, configuration)
    arguments: dict[str, Value] = {"dataset": dataset, "to": literal(str(to))}
    if region is not None:
        _check_region(policy, region)
        arguments["region"] = region
    if at is not None:
        arguments["at"] = at.isoformat()
    if include:
        arguments["include"] = [literal(pattern) for pattern in include]
    if purpose:
        arguments["purpose"] = literal(purpose)
    steps = [PlannedStep("restore", Phase.STEPS, "restore", arguments, repeatable=True)]
    if verify:
        steps.append(_whole(dataset, to, arguments.get("include")))
    title = f"Restore {dataset} to {to}"
    subject = f"restore:{dataset}:{to}"
    return _plan(RunKind.RESTORE, policy, configuration, title, tuple(steps), subject=subject)


def _whole(dataset: str, to: Path, include: Value) -> PlannedStep:
    arguments: dict[str, Value] = {
        "dataset": dataset,
        "region": "{restore.region}",
        "snapshot": "{restore.snapshot}",
        "path": literal(str(to)),
    }
    if include:
        arguments["include"] = include
    return PlannedStep("whole", Phase.VERIFY, "restore.verify", arguments, repeatable=True)


def compile_check(
    dataset: str,
    regions: Sequence[str],
    configuration: Configuration,
    *,
    arguments: Mapping[str, Value] | None = None,
) -> Plan:
    """The plan that checks the dataset's repositories, in the regions named or all, side by side.

    `arguments` are further ones of the action `repository.check`.
    """
    policy = _dataset(dataset, configuration)
    steps = _in_each("check", "repository.check", policy, regions, arguments or {})
    return _side_by_side(_plan(RunKind.CHECK, policy, configuration, f"Check {dataset}", steps))


def compile_scrub(
    dataset: str,
    regions: Sequence[str],
    configuration: Configuration,
    *,
    arguments: Mapping[str, Value] | None = None,
) -> Plan:
    """The plan that hashes what lies in the regions named, or in all, side by side.

    It may take hours, and keeps no backup of the dataset waiting. `arguments` are further ones of
    the action `scrub`.
    """
    policy = _dataset(dataset, configuration)
    steps = _in_each("scrub", "scrub", policy, regions, arguments or {})
    title, subject = f"Scrub {dataset}", f"scrub:{dataset}"
    plan = _plan(RunKind.SCRUB, policy, configuration, title, steps, subject=subject)
    return _side_by_side(plan)


def compile_heal(
    dataset: str, regions: Sequence[str], configuration: Configuration, *, read_data: bool = False
) -> Plan:
    """The plan that makes the regions named, or all, whole from whichever has what they lack, each
    repository by itself, and then looks whether they are. No backup goes on beside it.
    """
    policy = _dataset(dataset, configuration)
    for region in regions:
        _check_region(policy, region)
    steps: list[PlannedStep] = []
    for repository in policy.repositories:
        targets = [r for r in repository if not regions or r in regions]
        if targets:
            steps += _healing(policy, targets, read_data=read_data)
    title = f"Heal {dataset}"
    return _side_by_side(_plan(RunKind.HEAL, policy, configuration, title, tuple(steps)))


def _healing(policy: Dataset, targets: Sequence[str], *, read_data: bool) -> list[PlannedStep]:
    heal = PlannedStep(
        f"heal-{'-'.join(targets)}",
        Phase.STEPS,
        "heal",
        {"dataset": policy.name, "regions": list(targets), "read_data": read_data},
        repeatable=True,
    )
    checks = _in_each("check", "repository.check", policy, targets, {})
    return [heal, *(replace(check, needs=(heal.id,)) for check in checks)]


def _in_each(
    name: str, action: str, policy: Dataset, regions: Sequence[str], arguments: Mapping[str, Value]
) -> tuple[PlannedStep, ...]:
    """A check of the dataset in each of the regions, or in all that it has."""
    for region in regions:
        _check_region(policy, region)
    return tuple(
        PlannedStep(
            f"{name}-{region}",
            Phase.STEPS,
            action,
            {"dataset": policy.name, "region": region, **arguments},
            check=True,
            repeatable=True,
        )
        for region in dict.fromkeys(tuple(regions) or policy.regions)
    )


def compile_lock_extend(dataset: str, regions: Sequence[str], configuration: Configuration) -> Plan:
    """The plan that extends the locks of the dataset's objects in those of the regions named (or
    of all) that have an object lock. It keeps no backup of the dataset waiting.
    """
    policy = _dataset(dataset, configuration)
    for region in regions:
        _check_region(policy, region)
    steps = [
        PlannedStep(
            f"extend-{region}",
            Phase.STEPS,
            "lock.extend",
            {"dataset": dataset, "region": region},
            repeatable=True,
        )
        for region in _locked(tuple(regions) or policy.regions, configuration)
    ]
    title, subject = f"Extend locks of {dataset}", f"lock:{dataset}"
    plan = _plan(RunKind.LOCK_EXTEND, policy, configuration, title, tuple(steps), subject=subject)
    return _side_by_side(plan)


def compile_lock_extend_records(regions: Sequence[str], configuration: Configuration) -> Plan:
    """The same for drorch's own records, in those of the regions that have an object lock."""
    steps = tuple(
        PlannedStep(
            f"extend-{region}", Phase.STEPS, "lock.extend", {"region": region}, repeatable=True
        )
        for region in _locked(regions, configuration)
    )
    return _side_by_side(
        Plan(
            kind=RunKind.LOCK_EXTEND,
            name=RECORDS,
            mode=Mode.LIVE,
            subject=f"lock:{RECORDS}",
            steps=steps,
            title="Extend locks of drorch's records",
            organization=configuration.organization,
            timezone=configuration.timezone,
            configuration_digest=configuration.digest,
        )
    )


def compile_rewind(
    dataset: str,
    region: str,
    configuration: Configuration,
    *,
    to: datetime,
    read_data: bool = False,
    unopened: str = "",
) -> Plan:
    """The plan that brings a region's repository back to what it was at a time (aware), locks it
    anew, and has restic check it. `unopened` says why restic cannot: then hashes alone prove it.
    """
    policy = _dataset(dataset, configuration)
    _check_region(policy, region)
    where: dict[str, Value] = {"dataset": dataset, "region": region}
    rewind = PlannedStep(
        f"rewind-{region}", Phase.STEPS, "rewind", {**where, "to": to.isoformat()}, repeatable=True
    )
    extend = PlannedStep(
        f"extend-{region}",
        Phase.STEPS,
        "lock.extend",
        where,
        needs=(rewind.id,),
        repeatable=True,
        on_failure=OnFailure.CONTINUE,
    )
    check = PlannedStep(
        f"check-{region}",
        Phase.VERIFY,
        "repository.check",
        {**where, "read_data": read_data},
        check=True,
        repeatable=True,
    )
    steps = [rewind]
    steps += [extend] if configuration.regions[region].object_lock else []
    steps += [] if unopened else [check]
    title = f"Rewind {dataset} in {region} to {to:%Y-%m-%d %H:%M:%S %Z}"
    plan = _plan(RunKind.REWIND, policy, configuration, title, tuple(steps))
    return replace(plan, notices=(unopened,)) if unopened else plan


def _locked(regions: Sequence[str], configuration: Configuration) -> list[str]:
    """Those that have an object lock; UsageError if none has."""
    found = [r for r in dict.fromkeys(regions) if configuration.regions[r].object_lock]
    if not found:
        named = ", ".join(regions)
        raise UsageError(
            f"no object_lock is configured for {named}",
            "set `object_lock: {mode: compliance, keep: 30d}` of a region whose bucket has one",
        )
    return found


def compile_accept(dataset: str, snapshot: str, configuration: Configuration, *, by: str) -> Plan:
    """The plan that accepts a suspicious backup (64 digits). Beside anything but itself."""
    policy = _dataset(dataset, configuration)
    arguments: dict[str, Value] = {"dataset": dataset, "snapshot": snapshot, "by": literal(by)}
    step = PlannedStep("accept", Phase.STEPS, "snapshot.accept", arguments, repeatable=True)
    title = f"Accept backup {snapshot[:8]} of {dataset}"
    subject = f"accept:{dataset}"
    return _plan(RunKind.ACCEPT, policy, configuration, title, (step,), subject=subject)


def compile_unlock(
    dataset: str, region: str | None, configuration: Configuration, *, wait: bool
) -> Plan:
    """The plan that removes stale locks. Beside anything but itself: live ones stay."""
    policy = _dataset(dataset, configuration)
    arguments: dict[str, Value] = {"dataset": dataset, "wait": wait}
    if region is not None:
        _check_region(policy, region)
        arguments["region"] = region
    step = PlannedStep("unlock", Phase.STEPS, "repository.unlock", arguments, repeatable=True)
    subject = f"unlock:{dataset}"
    title = f"Remove stale locks of {dataset}"
    return _plan(RunKind.UNLOCK, policy, configuration, title, (step,), subject=subject)


def compile_keys(
    dataset: str,
    title: str,
    actions: Sequence[tuple[str, Mapping[str, Value]]],
    configuration: Configuration,
) -> Plan:
    """The plan of a change of keys: actions with their arguments, one after the other."""
    policy = _dataset(dataset, configuration)
    names = [action.replace(".", "-") for action, _ in actions]
    steps = tuple(
        PlannedStep(
            name,
            Phase.STEPS,
            action,
            {"dataset": dataset, **arguments},
            needs=tuple(names[max(0, number - 1) : number]),
            repeatable=True,
        )
        for number, (name, (action, arguments)) in enumerate(zip(names, actions, strict=True))
    )
    return _plan(RunKind.KEYS, policy, configuration, title, steps)


def _side_by_side(plan: Plan) -> Plan:
    """Every step begins at once: one that fails fails the run, and keeps no other from its end."""
    return replace(plan, parallel=max(plan.parallel, len(plan.steps)))


def _after(number: int, name: str) -> tuple[str, ...]:
    return (f"{name}-{number - 1}",) if number > 1 else ()


def _command(name: str, phase: Phase, argv: tuple[str, ...], needs: tuple[str, ...]) -> PlannedStep:
    cleanup = phase is Phase.CLEANUP
    return PlannedStep(
        name,
        phase,
        "command",
        {"argv": [literal(word) for word in argv]},
        needs=needs,
        on_failure=OnFailure.CONTINUE if cleanup else OnFailure.STOP,
    )


def _replications(
    policy: Dataset, regions: Sequence[str], *, after_backup: bool = False
) -> list[PlannedStep]:
    """One step for the mirrors, which are one repository, and one for each other copy."""
    mirrors = [name for name in policy.mirrors if name in regions]
    copies = [c.region for c in policy.copies if c.region in regions and c.region not in mirrors]
    level: dict[str, Value] = {"level": "{backup.level}"} if after_backup else {}
    steps: list[tuple[str, dict[str, Value]]] = []
    if mirrors and len(policy.mirrors) > 1:
        steps.append(("replicate", {"regions": mirrors, **level}))
    steps += [(f"replicate-{region}", {"region": region}) for region in copies]
    return [
        PlannedStep(
            name,
            Phase.STEPS,
            "replicate",
            {"dataset": policy.name, **arguments},
            needs=("backup",) if after_backup else (),
            repeatable=True,
            on_failure=OnFailure.CONTINUE if after_backup else OnFailure.STOP,
        )
        for name, arguments in steps
    ]
