"""Use cases around copies: back up, replicate, check, scrub, heal, restore. Each is a run of a compiled plan."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from drorch.app.program import Program
from drorch.app.runs import Control, Request, RunView, carry_out
from drorch.core.errors import DrorchError, ResticError, UsageError
from drorch.core.model import Dataset
from drorch.core.plan import Plan
from drorch.core.policy import (
    compile_backup,
    compile_check,
    compile_heal,
    compile_replicate,
    compile_restore,
    compile_scrub,
)
from drorch.engine.loop import Watcher

#: By dataset, who looks on.
Watchers = Callable[[str], Sequence[Watcher]]

#: A run that was carried, or why it could not be.
Carried = RunView | DrorchError


def nobody(_: str) -> Sequence[Watcher]:
    """Nobody looks on."""
    return ()


def chosen(program: Program, names: Sequence[str], *, everything: bool = False) -> list[Dataset]:
    """The datasets named, each once; all of them with `everything`; UsageError if none is meant."""
    datasets = program.configuration.datasets
    if everything or (not names and len(datasets) == 1):
        return list(datasets.values())
    if not names:
        known = ", ".join(datasets) or "none is configured"
        raise UsageError("no dataset is named", f"name one, or use --all; datasets: {known}")
    return [program.dataset(name) for name in dict.fromkeys(names)]


def back_up(
    program: Program,
    datasets: Sequence[Dataset],
    *,
    control: Control,
    watchers: Watchers = nobody,
    trigger: str = "operator",
    parallel: int = 2,
) -> list[Carried]:
    """Back up each dataset by its policy, a few side by side; one that fails holds up no other."""

    def plan(dataset: Dataset) -> Plan:
        return compile_backup(dataset.name, program.configuration)

    return _each(program, datasets, plan, control, watchers, Request(trigger), parallel)


def replicate(
    program: Program,
    datasets: Sequence[Dataset],
    region: str | None,
    *,
    control: Control,
    watchers: Watchers = nobody,
    parallel: int = 2,
) -> list[Carried]:
    """Bring what further regions lack to them (or to the one named)."""
    if region is not None:
        program.region(region)

    def plan(dataset: Dataset) -> Plan:
        return compile_replicate(dataset.name, [region] if region else [], program.configuration)

    return _each(program, datasets, plan, control, watchers, Request(), parallel)


def check(
    program: Program,
    datasets: Sequence[Dataset],
    region: str | None,
    *,
    read_data: bool,
    control: Control,
    watchers: Watchers = nobody,
    parallel: int = 2,
) -> list[Carried]:
    """Check the repositories in every region (or the one named)."""
    if region is not None:
        program.region(region)

    def plan(dataset: Dataset) -> Plan:
        return compile_check(
            dataset.name,
            [region] if region else [],
            program.configuration,
            arguments={"read_data": read_data},
        )

    return _each(program, datasets, plan, control, watchers, Request(), parallel)


def scrub(
    program: Program,
    datasets: Sequence[Dataset],
    region: str | None,
    *,
    budget: str | None = None,
    control: Control,
    watchers: Watchers = nobody,
    trigger: str = "operator",
    parallel: int = 2,
) -> list[Carried]:
    """Hash what lies in every region (or the one named): what is left of the day's budget, or
    `budget` (a size, or `all`).
    """
    if region is not None:
        program.region(region)

    def plan(dataset: Dataset) -> Plan:
        return compile_scrub(
            dataset.name,
            [region] if region else [],
            program.configuration,
            arguments={"budget": budget} if budget is not None else {},
        )

    return _each(program, datasets, plan, control, watchers, Request(trigger), parallel)


def heal(
    program: Program,
    datasets: Sequence[Dataset],
    region: str | None,
    *,
    read_data: bool,
    control: Control,
    watchers: Watchers = nobody,
    trigger: str = "operator",
    parallel: int = 2,
) -> list[Carried]:
    """Make every region (or the one named) whole from all that hold the same repository."""
    if region is not None:
        program.region(region)

    def plan(dataset: Dataset) -> Plan:
        regions = [region] if region else []
        return compile_heal(dataset.name, regions, program.configuration, read_data=read_data)

    return _each(program, datasets, plan, control, watchers, Request(trigger), parallel)


def carry_plans(
    program: Program,
    plans: Sequence[Plan],
    *,
    control: Control,
    watchers: Watchers = nobody,
    trigger: str = "operator",
    reason: str = "",
    parallel: int = 2,
) -> list[Carried]:
    """Carry out plans of different subjects, a few side by side; watchers are asked for by name."""
    request = Request(trigger, reason)
    return _each(program, plans, lambda plan: plan, control, watchers, request, parallel)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_N = TypeVar("_N", bound=_Named)


def _each(
    program: Program,
    things: Sequence[_N],
    plan: Callable[[_N], Plan],
    control: Control,
    watchers: Watchers,
    request: Request,
    parallel: int,
) -> list[Carried]:
    def carry(thing: _N) -> Carried:
        try:
            return carry_out(
                program,
                plan(thing),
                request,
                control=control,
                watchers=watchers(thing.name),
            )
        except DrorchError as error:
            return error

    if len(things) == 1:
        return [carry(things[0])]
    # The parts are made once, before threads ask for them side by side.
    _ = program.tools, program.journal
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(carry, things))


def restore(
    program: Program,
    dataset: str,
    to: Path,
    *,
    at: datetime | None = None,
    region: str | None = None,
    include: Sequence[str] = (),
    purpose: str = "",
    verify: bool = False,
    control: Control,
    watchers: Sequence[Watcher] = (),
) -> RunView:
    """Bring a dataset's snapshot back into an empty folder; with `verify`, look at every byte of it.

    Raises UsageError, and begins no run, where what is asked for cannot be.
    """
    see_that_it_can_come_back(program, dataset, to, region, include)
    plan = compile_restore(
        dataset,
        program.configuration,
        to=to.absolute(),
        region=region,
        at=at.astimezone(UTC) if at else None,
        include=tuple(include),
        purpose=purpose,
        verify=verify,
    )
    return carry_out(program, plan, Request(reason=purpose), control=control, watchers=watchers)


def see_that_it_can_come_back(
    program: Program, dataset: str, to: Path, region: str | None, include: Sequence[str]
) -> None:
    """UsageError for a restore that cannot be, as far as that is known before it begins."""
    wanted = program.dataset(dataset)
    if region is not None and program.region(region).name not in wanted.regions:
        raise UsageError(
            f"dataset {dataset} has no copy in region {region}",
            f"it has copies in: {', '.join(wanted.regions)}",
        )
    if not all(include):
        raise UsageError(
            "--include names no path", "name a path, or leave it out to get everything"
        )
    from drorch.restic.landing import look_at

    try:
        look_at(to.absolute())
    except ResticError as error:
        raise UsageError(error.message, error.hint) from None
