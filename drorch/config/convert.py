"""Shapes into core values: names become values, relative paths those of the file's folder."""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from drorch.config import models
from drorch.config.dataset_parts import KeepShape, PriorityShape, VerifyShape
from drorch.config.report_parts import QuarterlyShape
from drorch.config.runbook_models import (
    CallShape,
    ExerciseShape,
    FailbackShape,
    ForEachShape,
    GoalShape,
    PhasesShape,
    RunbookShape,
    StepShape,
    UntilShape,
    WhenShape,
)
from drorch.config.runbook_models import RetryShape as Backoff
from drorch.config.shapes import ObjectivesShape
from drorch.core.alarms import PASSED
from drorch.core.exercises import Area, Exercise, ExerciseType, Goal
from drorch.core.fanning import NESTING
from drorch.core.model import (
    BRAKE,
    Configuration,
    CopyMode,
    CopyPolicy,
    Dataset,
    DrillSchedule,
    Dump,
    Guard,
    LockMode,
    Objectives,
    ObjectLock,
    Protected,
    Reach,
    Region,
    SecretSource,
    Service,
    Site,
    Transfer,
    Verify,
    Window,
)
from drorch.core.names import OnFailure, Phase
from drorch.core.priority import DiskShare, Priority
from drorch.core.quarter_controls import Framework
from drorch.core.runbook import (
    ActionCall,
    Failback,
    ForEach,
    Input,
    Retry,
    Runbook,
    RunbookStep,
    Until,
    When,
    WhenTest,
)
from drorch.core.settings import (
    KEEP_STATES,
    ControlPlane,
    DaemonSettings,
    EvidencePolicy,
    Keep,
    NotifyRule,
    Quarterly,
    Reports,
)


def resolved(folder: Path, text: str) -> Path:
    """A path of the configuration: relative to its folder, `..` taken out, links left alone."""
    return Path(posixpath.normpath(folder / text))


def configuration(shape: models.ConfigurationShape, file: Path, digest: str) -> Configuration:
    """The whole of drorch.yaml as values. `file` is absolute."""
    folder = file.parent
    return Configuration(
        folder=folder,
        organization=shape.organization,
        timezone=shape.timezone,
        language=shape.language,
        state=shape.state,
        runbooks=resolved(folder, shape.runbooks),
        secrets={name: _secret(folder, one) for name, one in shape.secrets.items()},
        sites={name: Site(name, one.jurisdiction) for name, one in shape.sites.items()},
        regions={
            name: _reached(_region(name, one), shape.exercise)
            for name, one in shape.regions.items()
        },
        datasets={name: _dataset(folder, name, one) for name, one in shape.datasets.items()},
        protected=Protected(
            tuple(resolved(folder, path) for path in shape.protected.paths), shape.protected.hosts
        ),
        services={name: _service(name, one) for name, one in shape.services.items()},
        drills={
            name: DrillSchedule(name, one.runbook, one.schedule, one.inputs, one.participants)
            for name, one in shape.drills.items()
        },
        notify=tuple(_rule(one) for one in shape.notify),
        control_plane=ControlPlane(
            shape.control_plane.password,
            shape.control_plane.regions,
            KEEP_STATES if shape.control_plane.keep is None else _keep(shape.control_plane.keep),
        ),
        evidence=_evidence(folder, shape.evidence),
        daemon=_daemon(folder, shape.daemon),
        reports=Reports(
            _quarterly(shape.reports.quarterly),
            shape.reports.sign_off,
            tuple(Framework(name) for name in shape.reports.controls or ()),
        ),
        file=file,
        digest=digest,
        exercise=shape.exercise,
    )


def _reached(region: Region, exercise: str | None) -> Region:
    if exercise is None:
        return region
    return replace(region, reach=Reach.READ if region.name == exercise else Reach.LOST)


def _daemon(folder: Path, shape: models.DaemonShape) -> DaemonSettings:
    told = shape.model_dump(exclude_none=True)
    if shape.textfile:
        told["textfile"] = resolved(folder, shape.textfile)
    return DaemonSettings(**told)


def _evidence(folder: Path, shape: models.EvidenceShape) -> EvidencePolicy:
    keys = (t if "BEGIN PUBLIC KEY" in t else str(resolved(folder, t)) for t in shape.public_key)
    found = EvidencePolicy(shape.key, tuple(keys), shape.regions)
    return found if shape.keep is None else replace(found, keep=shape.keep)


def _quarterly(shape: QuarterlyShape) -> Quarterly:
    told = shape.model_dump(exclude_none=True, exclude={"to"})
    to = tuple(NotifyRule((), to=one.to, command=one.command) for one in shape.to)
    return Quarterly(**told, to=to)


def _rule(shape: models.NotifyShape) -> NotifyRule:
    rule = NotifyRule(shape.when or (PASSED,), shape.to, shape.ping, shape.command)
    return rule if shape.pause is None else replace(rule, pause=shape.pause)


def _secret(folder: Path, shape: models.SecretShape) -> SecretSource:
    file = resolved(folder, shape.file) if shape.file is not None else None
    return SecretSource(file, shape.env, shape.command, shape.credential)


def _region(name: str, shape: models.RegionShape) -> Region:
    lock = shape.object_lock
    return Region(
        name=name,
        endpoint=shape.endpoint,
        bucket=shape.bucket,
        jurisdiction=shape.jurisdiction,
        prefix=shape.prefix,
        location=shape.location,
        access_key=shape.access_key,
        secret_key=shape.secret_key,
        profile=shape.profile,
        object_lock=ObjectLock(LockMode(lock.mode), lock.keep) if lock else None,
        transfer=_transfer(shape.transfer),
    )


def _transfer(shape: models.TransferShape | None) -> Transfer | None:
    return Transfer(shape.assessment, shape.agreement) if shape else None


def _objectives(shape: ObjectivesShape) -> Objectives:
    return Objectives(shape.rto, shape.rpo, shape.mtpd)


def _dataset(folder: Path, name: str, shape: models.DatasetShape) -> Dataset:
    return Dataset(
        name=name,
        password=shape.password,
        primary=shape.primary,
        copies=tuple(
            CopyPolicy(region, CopyMode(one.mode), one.password or shape.password)
            for region, one in shape.copies.items()
        ),
        site=shape.site,
        paths=tuple(resolved(folder, path) for path in shape.paths or ()),
        exclude=shape.exclude,
        dump=Dump(shape.dump.command, shape.dump.filename) if shape.dump else None,
        before=shape.before,
        after=shape.after,
        schedule=shape.schedule,
        tier=shape.tier,
        objectives=_objectives(shape.objectives),
        residency=shape.residency,
        keep=_keep(shape.keep),
        prune=shape.prune,
        brake=BRAKE if shape.brake is None else shape.brake,
        verify=Verify(**{key: getattr(shape.verify, key) for key in VerifyShape.model_fields}),
        window=Window(shape.window.limit_upload, shape.window.limit_download, shape.window.between),
        guard=Guard(shape.guard.min_files, shape.guard.max_change),
        priority=_priority(shape.priority),
        transfer=_transfer(shape.transfer),
    )


def _keep(shape: KeepShape) -> Keep:
    return Keep(**{key: getattr(shape, key) for key in KeepShape.model_fields})


def _priority(shape: PriorityShape) -> Priority:
    return Priority(shape.nice, DiskShare(shape.io) if shape.io else None)


def _service(name: str, shape: models.ServiceShape) -> Service:
    return Service(name, shape.tier, _objectives(shape.objectives), shape.datasets, shape.runbook)


def runbook(shape: RunbookShape, digest: str, file: str) -> Runbook:
    """A runbook file as values."""
    return Runbook(
        name=shape.runbook,
        title=shape.title,
        service=shape.service,
        owner=shape.owner,
        objectives=_objectives(shape.objectives) if shape.objectives else None,
        inputs=tuple(Input(name, one.default, one.doc) for name, one in shape.inputs.items()),
        parallel=shape.parallel,
        steps=tuple(_steps(shape)),
        digest=digest,
        file=file,
        site=shape.site,
        failback=_failback(shape.failback) if shape.failback else None,
        unfenced=shape.unfenced or "",
        exercise=_exercise(shape.exercise) if shape.exercise else None,
    )


def _failback(shape: FailbackShape) -> Failback:
    if shape.runbook is not None:
        nested = ActionCall(NESTING, {"runbook": shape.runbook, "inputs": shape.inputs})
        steps: tuple[RunbookStep, ...] = (
            RunbookStep("home", Phase.STEPS, nested, path=("failback",)),
        )
    else:
        steps = tuple(_steps(shape, "failback"))
    return Failback(
        title=shape.title,
        site=shape.site,
        objectives=_objectives(shape.objectives) if shape.objectives else None,
        steps=steps,
        runbook=shape.runbook or "",
        exercise=_exercise(shape.exercise) if shape.exercise else None,
    )


def _exercise(shape: ExerciseShape) -> Exercise:
    areas = {
        Area.NOTIFICATION: shape.areas.notification,
        Area.CONNECTIVITY: shape.areas.connectivity,
        Area.PERFORMANCE: shape.areas.performance,
        Area.RETURN: shape.areas.return_,
    }
    return Exercise(
        type=ExerciseType(shape.type) if shape.type else None,
        scenario=shape.scenario,
        scope=shape.scope,
        objectives=tuple(_goal(one) for one in shape.objectives),
        criteria=tuple(_goal(one) for one in shape.criteria),
        assumptions=shape.assumptions,
        excluded=shape.excluded,
        areas={area: _goal(one) for area, one in areas.items() if one is not None},
    )


def _goal(shape: GoalShape) -> Goal:
    return Goal(shape.text, shape.shown_by)


def _steps(shape: PhasesShape, *within: str) -> Iterator[RunbookStep]:
    phases = {
        Phase.PRECONDITIONS: shape.preconditions,
        Phase.FENCE: shape.fence,
        Phase.STEPS: shape.steps,
        Phase.VERIFY: shape.verify,
        Phase.CLEANUP: shape.cleanup,
    }
    for phase, steps in phases.items():
        for index, step in enumerate(steps):
            yield _step(step, phase, (*within, phase.value, index))


def _step(shape: StepShape, phase: Phase, path: tuple[str | int, ...]) -> RunbookStep:
    return RunbookStep(
        name=shape.name,
        phase=phase,
        call=_call(shape),
        is_check=shape.check is not None,
        needs=shape.needs,
        retry=_retry(shape.retry) if shape.retry else None,
        until=_until(shape.until) if shape.until else None,
        timeout=shape.timeout,
        when=_when(shape.when) if shape.when else None,
        for_each=_for_each(shape.for_each) if shape.for_each else None,
        on_failure=OnFailure(shape.on_failure),
        repeatable=shape.repeatable,
        live_only=shape.live_only,
        undo=_call(shape.undo) if shape.undo else None,
        title=shape.title,
        always=shape.always,
        path=path,
    )


def _for_each(shape: ForEachShape) -> ForEach:
    return ForEach(shape.as_, shape.in_ or (), shape.tier or "")


def _call(shape: CallShape) -> ActionCall:
    return ActionCall(shape.do, shape.arguments)


def _retry(shape: Backoff) -> Retry:
    given = {key: getattr(shape, key) for key in ("delay", "backoff", "jitter", "limit")}
    retry = Retry(attempts=shape.attempts, only=shape.only)
    return replace(retry, **{key: value for key, value in given.items() if value is not None})


def _until(shape: UntilShape) -> Until:
    until = Until(shape.within, successes=shape.successes)
    return until if shape.every is None else replace(until, every=shape.every)


def _when(shape: WhenShape) -> When:
    if "is_" in shape.model_fields_set:
        return When(shape.value, WhenTest.IS, shape.is_)
    if "is_not" in shape.model_fields_set:
        return When(shape.value, WhenTest.IS_NOT, shape.is_not)
    return When(shape.value, WhenTest.IN, shape.in_)
