"""Use cases around runbooks: list, check, plan, and drill."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from drorch.app.apart import apart
from drorch.app.program import Program
from drorch.app.reports import kept_report, write_run_reports
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.action import ActionSpec
from drorch.core.errors import ConfigurationError, DrorchError, Problem
from drorch.core.exercises import Participant
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.plan import Plan
from drorch.core.runbook import Runbook
from drorch.engine.loop import Watcher


@dataclass(frozen=True, slots=True)
class Drilled:
    """A drill that has come to a stop, and where its HTML report lies, or why there is none (None while
    the drill is open).
    """

    view: RunView
    report: Path | DrorchError | None


def compile_plan(
    program: Program,
    name: str,
    mode: Mode,
    inputs: Mapping[str, str],
    *,
    homeward: bool = False,
    inputs_later: bool = False,
) -> Plan:
    """The plan of a runbook; UsageError or ConfigurationError if it cannot be carried out.

    `homeward` takes its section `failback`. With `inputs_later`, a plan to look at: inputs
    without a value are left open.
    """
    live = RunKind.FAILBACK if homeward else RunKind.FAILOVER
    return program.runbooks.compile(
        name,
        program.configuration,
        lambda action: spec_of(program, action),
        mode,
        inputs,
        kind=live if mode is Mode.LIVE else RunKind.DRILL,
        homeward=homeward,
        action_names=program.actions.names(),
        inputs_later=inputs_later,
    )


def spec_of(program: Program, name: str) -> ActionSpec | None:
    """What an action promises, or None if there is none of that name."""
    action = program.actions.find(name)
    return action.spec if action is not None else None


#: What a run that an operator wants is asked for with.
OPERATORS = Request()


def asking(plan: Plan) -> Plan:
    """The same plan, in which a step that fails asks a person instead of ending the run."""
    steps = (
        replace(step, on_failure=OnFailure.ASK)
        if step.phase is Phase.STEPS and step.on_failure is OnFailure.STOP
        else step
        for step in plan.steps
    )
    return replace(plan, steps=tuple(steps))


def drill(
    program: Program,
    name: str,
    inputs: Mapping[str, str],
    *,
    control: Control,
    watchers: Sequence[Watcher] = (),
    wait_for_people: bool = False,
    request: Request = OPERATORS,
    homeward: bool = False,
    ask: bool = False,
    participants: Sequence[Participant] = (),
) -> Drilled:
    """Carry a runbook (`homeward`: its way back) out as an exercise, and write its report.

    `participants` take part beside those who will answer questions.
    """
    compiled = compile_plan(program, name, Mode.DRILL, inputs, homeward=homeward)
    plan = replace(compiled, participants=tuple(participants))
    seen = carry_out(
        program,
        asking(plan) if ask else plan,
        request,
        control=control,
        watchers=watchers,
        wait_for_people=wait_for_people,
    )
    return reported(program, seen)


def reported(program: Program, seen: RunView) -> Drilled:
    """A run's view with its report written, if it has ended.

    One that cannot be written changes nothing of what the run came to, which must be told.
    """
    if seen.state.finished is None:
        return Drilled(seen, None)
    try:
        if not program.lasting:
            return Drilled(seen, write_run_reports(program, seen))
        apart(program, "report", "run", seen.run, "--kept")
    except DrorchError as error:
        return Drilled(seen, error)
    return Drilled(seen, kept_report(program, seen.run))


def all_runbooks(program: Program) -> dict[str, Runbook | list[Problem]]:
    """Every runbook of the folder by name, or what is wrong with its text."""
    found: dict[str, Runbook | list[Problem]] = {}
    for name in program.runbooks.paths():
        try:
            file = program.runbooks.get(name)
            found[name] = file.sound()
        except ConfigurationError as error:
            found[name] = list(error.problems)
    return found


def check(program: Program, names: Sequence[str] = ()) -> dict[str, list[Problem]]:
    """What is wrong with each runbook (all of them if none is named), as a drill sees it.

    Inputs that must be given when a drill starts are left open here.
    """
    found: dict[str, list[Problem]] = {}
    for name in names or program.runbooks.paths():
        try:
            compile_plan(program, name, Mode.DRILL, {}, inputs_later=True)
            if _leads_home(program, name):
                compile_plan(program, name, Mode.DRILL, {}, homeward=True, inputs_later=True)
            found[name] = []
        except ConfigurationError as error:
            found[name] = list(error.problems)
    return found


def _leads_home(program: Program, name: str) -> bool:
    return program.runbooks.get(name).sound().failback is not None
