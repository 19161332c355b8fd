"""The paper version of a runbook: gathers what is known of it and hands it to the reports."""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from drorch import __version__
from drorch.adapters.evidence import write_durably
from drorch.app.drills import compile_plan, spec_of
from drorch.app.program import Program
from drorch.app.proving import proof_of
from drorch.core.byhand import ByHand
from drorch.core.errors import ConfigurationError, DrorchError, JournalUntrusted, UsageError
from drorch.core.names import Mode
from drorch.core.plan import Plan, PlannedStep
from drorch.core.render import preview
from drorch.engine.redaction import redacted_plan
from drorch.reports.paper.forms import PageSize, PaperFormat, render_paper
from drorch.reports.paper.source import Source, Standing


def runbook_on_paper(
    program: Program,
    name: str,
    inputs: Mapping[str, str],
    paper_format: PaperFormat,
    language: str,
    *,
    homeward: bool = False,
    size: PageSize = PageSize.A4,
) -> bytes:
    """The runbook (`homeward`: its way home) for the binder; inputs not given are blanks.

    Raises UsageError if there is none, ConfigurationError if it is not sound.
    """
    source = paper_source(program, name, inputs, homeward=homeward)
    return render_paper(source, paper_format, language, size)


def write(output: Path, content: bytes, *, overwrite: bool) -> None:
    """Write the document, whole or not at all.

    Raises UsageError if the file is there and is not to be overwritten, DrorchError if it cannot be
    written.
    """
    see_that_it_is_free(output, overwrite=overwrite)
    try:
        write_durably(output, content)
    except OSError as error:
        raise DrorchError(
            f"{output} cannot be written: {error.strerror}", "name a file that can be, by --output"
        ) from None


def see_that_it_is_free(output: Path, *, overwrite: bool) -> None:
    """UsageError if the file is there and is not to be overwritten."""
    if os.path.lexists(output) and not overwrite:
        raise UsageError(f"{output} is there already", "name another file, or add --overwrite")


def paper_source(
    program: Program, name: str, inputs: Mapping[str, str], *, homeward: bool = False
) -> Source:
    """All that is known of a runbook and can be printed."""
    for secret in program.configuration.secrets:
        program.secrets.look(secret)  # to know it where it must not stand
    plan = redacted_plan(
        compile_plan(program, name, Mode.LIVE, inputs, homeward=homeward, inputs_later=True),
        program.secrets,
    )
    not_drilled, refused = _drilled(program, name, inputs, homeward=homeward)
    now = program.clock.now().at
    known = {key: value for key, value in plan.inputs.items() if value}
    return Source(
        plan=plan,
        runbook=program.runbooks.get(name).sound(),
        configuration=program.configuration,
        standing=_standing(program, plan.name if homeward else name, now),
        printed=now,
        version=__version__,
        hands={step.id: _by_hand(program, step, known) for step in plan.steps},
        not_drilled=not_drilled,
        drill_refused=tuple(map(program.secrets.redact, refused)),
        summaries=_summaries(program, plan),
        homeward=homeward,
    )


def _drilled(
    program: Program, name: str, inputs: Mapping[str, str], *, homeward: bool
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The steps that a drill leaves out, and why there can be no drill with these inputs."""
    try:
        plan = compile_plan(program, name, Mode.DRILL, inputs, homeward=homeward, inputs_later=True)
    except ConfigurationError as error:
        return frozenset(), tuple(problem.message for problem in error.problems)
    return frozenset(step.id for step in plan.steps if step.skip), ()


def _standing(program: Program, name: str, now: datetime) -> Standing:
    """A journal that cannot be read is no reason to print nothing."""
    try:
        proof = proof_of(program, name, now)
    except JournalUntrusted:
        return Standing(known=False)
    passed = proof.passed
    return Standing(
        passed_run=passed.run if passed else "",
        passed_at=passed.started_at if passed else None,
        due_at=proof.due_at,
        doubts=proof.doubts,
    )


def _by_hand(program: Program, step: PlannedStep, known: Mapping[str, str]) -> ByHand:
    from drorch.actions.byhand import by_hand

    arguments = {name: preview(value, known) for name, value in step.arguments.items()}
    return by_hand(step.do, arguments, program.configuration, step.id)


def _summaries(program: Program, plan: Plan) -> dict[str, str]:
    """What each action does, in its own words."""
    specs = (spec_of(program, do) for do in dict.fromkeys(step.do for step in plan.steps))
    return {spec.name: spec.summary for spec in specs if spec is not None}
