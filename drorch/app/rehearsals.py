"""Use case: try runbooks by the rehearsals written beside them. Touches nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drorch.app.drills import compile_plan
from drorch.app.program import Program
from drorch.core.errors import ConfigurationError, DrorchError, Problem, UsageError
from drorch.core.nearest import did_you_mean
from drorch.core.outcome import left_behind
from drorch.core.plan import Plan
from drorch.core.rehearsal import Rehearsal, unmet

_HINT = "mend the runbook, or what the rehearsal expects of it"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One rehearsal of a runbook, and everything that came otherwise than expected."""

    runbook: str
    rehearsal: str
    problems: tuple[Problem, ...]


def rehearse_all(program: Program, names: Sequence[str] = ()) -> Iterator[Rehearsed]:
    """The rehearsals of the named runbooks; of all that have some, if none is named.

    Raises UsageError for a name without rehearsals, ConfigurationError for files that are broken.
    """
    for name, path in _files(program, names).items():
        yield from _rehearse_file(program, name, path)


def _files(program: Program, names: Sequence[str]) -> dict[str, Path]:
    from drorch.config.rehearsals import SUFFIX

    folder = program.configuration.runbooks
    found = {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob(f"*{SUFFIX}"))}
    for name in names:
        program.runbooks.get(name)  # UsageError if there is none
        if name not in found:
            hint = f"write them into {folder / (name + SUFFIX)}"
            raise UsageError(f"runbook {name} has no rehearsals", hint)
    return {name: found[name] for name in names} if names else found


def _rehearse_file(program: Program, name: str, path: Path) -> Iterator[Rehearsed]:
    from drorch.config.rehearsals import read_rehearsals

    document, runbook, rehearsals = read_rehearsals(path)
    if runbook != name:
        said = f"these are rehearsals of {runbook}, but the file is named for {name}"
        raise ConfigurationError(
            [document.problem(("runbook",), said, f"name it {runbook}.test.yaml")]
        )
    for rehearsal in rehearsals:
        problems = [
            document.placed(Problem(p.message, p.hint, (*rehearsal.path, *p.path), str(path)))
            if p.file is None
            else p
            for p in _problems(program, name, rehearsal)
        ]
        yield Rehearsed(name, rehearsal.name, tuple(problems))


def _problems(program: Program, name: str, rehearsal: Rehearsal) -> list[Problem]:
    """What came otherwise; a path leads on from the rehearsal unless the problem has a file."""
    from drorch.engine.rehearsing import rehearse

    try:
        plan = compile_plan(program, name, rehearsal.mode, rehearsal.inputs)
    except ConfigurationError as error:
        return list(error.problems)
    unknown = list(_unknown_steps(plan, rehearsal))
    if unknown:
        return unknown
    try:
        state = rehearse(plan, rehearsal, program.actions, program.tools)
    except DrorchError as error:
        return [Problem(error.message, error.hint)]
    missed = unmet(state, rehearsal.expected, dirty=bool(left_behind(state)))
    return [Problem(one.message, _HINT, one.path) for one in missed]


def _unknown_steps(plan: Plan, rehearsal: Rehearsal) -> Iterator[Problem]:
    known = [step.id for step in plan.steps]
    for step, path in rehearsal.named():
        if step not in known:
            yield Problem(f"there is no step {step!r}", did_you_mean(step, known, "steps"), path)
