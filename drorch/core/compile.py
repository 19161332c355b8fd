"""From a runbook to a plan: frozen, and refused here rather than at 03:00.

Plans that nobody writes (backup, restore, …) are compiled in policy.py, which is lighter to import.
Pure. Every problem is found at once; its `path` leads into the runbook's document and its `file`
names it, so that whoever read the file can add line and column.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, count

from drorch.core.action import ActionSpec
from drorch.core.drafts import Draft
from drorch.core.errors import ConfigurationError, Problem
from drorch.core.examine import examine
from drorch.core.exercising import exercise_in, exercise_problems
from drorch.core.expand import Sources, expand
from drorch.core.model import Configuration, Objectives, home_of
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.nearest import did_you_mean
from drorch.core.notices import notices_of
from drorch.core.plan import Plan, PlannedStep
from drorch.core.planning import sources_of
from drorch.core.protect import Guarded
from drorch.core.render import preview
from drorch.core.runbook import Retry, Runbook
from drorch.core.verification import targets_of

#: The action that says whether the primary is down, up, or that it cannot be known.
GATE = "fence.check"

_KINDS = {Mode.DRILL: RunKind.DRILL, Mode.LIVE: RunKind.FAILOVER}


def compile_runbook(
    runbook: Runbook,
    configuration: Configuration,
    find_action_spec: Callable[[str], ActionSpec | None],
    mode: Mode,
    inputs: Mapping[str, str],
    find_runbook: Callable[[str], Runbook | None],
    *,
    kind: RunKind | None = None,
    subject: str = "",
    action_names: Sequence[str] = (),
    runbook_names: Sequence[str] = (),
    inputs_later: bool = False,
) -> Plan:
    """The plan of a runbook for a mode and inputs; nested runbooks are written into it.

    `kind` defaults to drill or failover by the mode, `subject` to the runbook; the names serve "did you mean …?". With
    `inputs_later` an input without a value is no problem, and what refers to it is looked at as
    far as it is known: such a plan is for looking at. Raises ConfigurationError with every problem.
    """
    problems: list[Problem] = []
    values = _input_values(runbook, inputs, problems, later=inputs_later)
    _check_names(runbook, configuration, problems)
    sources = Sources(
        find_action_spec, find_runbook, mode, values, configuration, action_names, runbook_names
    )
    drafts = expand(runbook, sources)
    problems += sources.problems
    problems += examine(drafts, sources.crossings, sources.unknown, values, configuration, mode)
    problems += exercise_problems(runbook, [*(draft.id for draft in drafts), *sources.unknown])
    if problems:
        raise ConfigurationError(problems)
    kind = kind or _KINDS[mode]
    gate = kind is RunKind.FAILOVER and _lacks_gate(runbook, drafts)
    datasets = tuple(dict.fromkeys(name for d in drafts for name in d.datasets(values)))
    return Plan(
        kind=kind,
        name=runbook.name,
        mode=mode,
        subject=f"runbook:{subject or runbook.name}",
        steps=tuple(_in_order(drafts, values, gate)),
        objectives=_objectives(runbook, configuration),
        inputs=values,
        parallel=runbook.parallel,
        title=str(preview(runbook.title, values)),
        service=runbook.service or "",
        organization=configuration.organization,
        timezone=configuration.timezone,
        datasets=datasets,
        runbook_digest=runbook.digest,
        configuration_digest=configuration.digest,
        notices=(
            *notices_of(drafts, mode, values, Guarded.of(configuration)),
            *_unfenced(runbook, kind),
        ),
        targets=targets_of(
            configuration,
            _texts(subject or runbook.name, runbook, drafts),
            datasets,
            _regions(drafts, values),
        ),
        site=runbook.site or (_home(runbook, configuration) if kind is RunKind.FAILBACK else ""),
        exercise=exercise_in(runbook, values) if mode is Mode.DRILL else None,
        sources=sources_of(datasets, configuration),
    )


def _input_values(
    runbook: Runbook, given: Mapping[str, str], problems: list[Problem], *, later: bool
) -> dict[str, str]:
    known = {one.name: one for one in runbook.inputs}
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, "inputs are")
            message = f"runbook {runbook.name} has no input {name!r}"
            problems.append(Problem(message, hint, ("inputs",), runbook.file))
    values: dict[str, str] = {}
    for name, one in known.items():
        value = given.get(name, one.default)
        if value is not None:
            values[name] = value
        elif not later:
            message = f"runbook {runbook.name} needs the input {name!r}"
            hint = f"give it: --set {name}=…, or write a default"
            problems.append(Problem(message, hint, ("inputs", name), runbook.file))
    return values


def _check_names(runbook: Runbook, configuration: Configuration, problems: list[Problem]) -> None:
    named = (
        (("service",), runbook.service, configuration.services),
        ((*runbook.within, "site"), runbook.site, configuration.sites),
    )
    for path, name, there in named:
        if name is not None and name not in there:
            hint = did_you_mean(name, there, f"{path[-1]}s are")
            problems.append(Problem(f"there is no {path[-1]} {name!r}", hint, path, runbook.file))


def _home(runbook: Runbook, configuration: Configuration) -> str:
    """The site of the service's datasets, if it is one."""
    return home_of(configuration, runbook.service or "")


def _texts(name: str, runbook: Runbook, drafts: Sequence[Draft]) -> dict[str, str]:
    """The digests of the runbook's own text and of those it nests."""
    nested = {d.runbook.name: d.runbook.digest for d in drafts if d.runbook.name != runbook.name}
    return {name: runbook.digest, **nested}


def _regions(drafts: Sequence[Draft], values: Mapping[str, str]) -> list[str]:
    return [
        str(preview(draft.arguments[name], values))
        for draft in drafts
        for name in draft.region_arguments
        if name in draft.arguments
    ]


def _lacks_gate(runbook: Runbook, drafts: Sequence[Draft]) -> bool:
    """Whether a service would be brought up without a look whether it still runs elsewhere."""
    looked = (d.phase is Phase.FENCE or d.spec.name == GATE for d in drafts)
    return runbook.service is not None and not runbook.unfenced and not any(looked)


def _unfenced(runbook: Runbook, kind: RunKind) -> Iterator[str]:
    """That the runbook's author took the fence away, and why: whoever declares it should know."""
    if runbook.unfenced and kind is RunKind.FAILOVER:
        yield f"the runbook says that no fence is needed: {runbook.unfenced}"


def _in_order(
    drafts: Sequence[Draft], values: Mapping[str, str], gate: bool
) -> Iterator[PlannedStep]:
    """The steps; with `gate`, after the preconditions a check that cannot know, and so refuses."""
    for draft in drafts:
        if gate and draft.phase is not Phase.PRECONDITIONS:
            yield _closed_gate({draft.id for draft in drafts})
            gate = False
        yield _planned(draft, values)


def _closed_gate(taken: set[str]) -> PlannedStep:
    names = chain(["fence"], (f"fence-{number}" for number in count(2)))
    name = next(name for name in names if name not in taken)
    title = "Know that the primary is down or fenced"
    return PlannedStep(name, Phase.FENCE, GATE, check=True, repeatable=True, title=title)


def _objectives(runbook: Runbook, configuration: Configuration) -> Objectives:
    """The runbook's own; what it leaves open is the service's."""
    service = configuration.services.get(runbook.service or "")
    base = service.objectives if service else Objectives()
    own = runbook.objectives or Objectives()
    return Objectives(own.rto or base.rto, own.rpo or base.rpo, own.mtpd or base.mtpd)


def _planned(draft: Draft, inputs: Mapping[str, str]) -> PlannedStep:
    step, spec = draft.step, draft.spec
    check = draft.stands_as_check
    return PlannedStep(
        id=draft.id,
        phase=draft.phase,
        do=spec.name,
        arguments=draft.arguments,
        needs=tuple(draft.needs),
        check=check,
        person=spec.person,
        repeatable=draft.repeatable,
        on_failure=OnFailure.CONTINUE if draft.phase is Phase.CLEANUP else draft.on_failure,
        retry=step.retry or Retry() if not draft.undoes else Retry(),
        until=step.until if not draft.undoes else None,
        timeout=step.timeout,
        when=draft.when,
        skip=draft.skip,
        undoes=draft.undoes,
        title=str(preview(draft.title, inputs)),
    )
