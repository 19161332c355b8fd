"""Use case `runbook plan`: what a runbook would do, what it still wants, how long it should take.

Nothing happens: no program is started, no region is asked, no journal is made. What a drill or a
failover would do with the same words stands in app/drills.py and app/failovers.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from drorch.app.drills import compile_plan, spec_of
from drorch.app.program import Program
from drorch.core.errors import ConfigurationError, JournalUntrusted, NoJournal, Problem
from drorch.core.experience import Spent, experience_of
from drorch.core.forecast import Forecast, forecast
from drorch.core.names import Mode, RunKind, RunState
from drorch.core.needed import secrets_needed
from drorch.core.plan import Plan
from drorch.core.posture import RunRow
from drorch.core.render import preview
from drorch.core.run import replay
from drorch.core.values import Value
from drorch.engine.redaction import redacted, redacted_plan
from drorch.ports import Secrets

if TYPE_CHECKING:
    from drorch.adapters.secrets import SecretLook

#: So many of the newest runs are read for what their steps took.
_PAST = 20

_RECOVERING = frozenset({RunKind.DRILL, RunKind.FAILOVER, RunKind.FAILBACK})


@dataclass(frozen=True, slots=True)
class NeededSecret:
    """A secret that steps rest on, and what a look at it came to."""

    look: "SecretLook"
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs took, from which they were; `trouble`: they could not be read."""

    spent: tuple[Spent, ...] = ()
    runs: tuple[RunRow, ...] = ()
    trouble: JournalUntrusted | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan to look at. `arguments` are rendered as far as inputs go, with secrets taken out.

    `drill_skips` says what a drill leaves out, and why. `missing` is everything that must be
    given before it can be carried out.
    """

    plan: Plan
    arguments: Mapping[str, Mapping[str, Value]]
    drill_skips: Mapping[str, str]
    open_inputs: Mapping[str, str]
    secrets: tuple[NeededSecret, ...]
    forecast: Forecast
    past: Past
    missing: tuple[Problem, ...]

    @property
    def since(self) -> datetime | None:
        """When the oldest of the runs began that the forecast rests on."""
        return self.past.runs[-1].started_at if self.past.runs else None


def plan_ahead(
    program: Program,
    name: str,
    mode: Mode,
    inputs: Mapping[str, str],
    *,
    homeward: bool = False,
) -> Planned:
    """Look at what the runbook (`homeward`: its way back) would do.

    Raises UsageError if there is none, ConfigurationError with everything that is wrong with it;
    inputs and secrets that are missing are told, and do not keep the rest from being shown.
    """
    plan = _compiled(program, name, mode, inputs, homeward=homeward)
    open_inputs = _open_inputs(program, name, plan)
    secrets = tuple(
        NeededSecret(program.secrets.look(secret), steps)
        for secret, steps in secrets_needed(plan, program.configuration).items()
    )
    past = _past(program, plan.name)
    shown = redacted_plan(plan, program.secrets)
    return Planned(
        plan=shown,
        arguments=_arguments(shown, program.secrets),
        drill_skips={
            step: program.secrets.redact(why)
            for step, why in program.runbooks.left_out_by_drills(
                name,
                program.configuration,
                lambda action: spec_of(program, action),
                plan.inputs,
                homeward=homeward,
            ).items()
        },
        open_inputs=open_inputs,
        secrets=secrets,
        forecast=forecast(plan, past.spent),
        past=past,
        missing=(*_missing_inputs(name, open_inputs), *_missing_secrets(secrets)),
    )


def _compiled(
    program: Program, name: str, mode: Mode, inputs: Mapping[str, str], *, homeward: bool
) -> Plan:
    try:
        return compile_plan(program, name, mode, inputs, homeward=homeward, inputs_later=True)
    except ConfigurationError:
        # It cannot be shown at all: then what is missing belongs to what is said to be wrong.
        return compile_plan(program, name, mode, inputs, homeward=homeward)


def _open_inputs(program: Program, name: str, plan: Plan) -> dict[str, str]:
    """Inputs without a value, each with what its author says of it."""
    declared = program.runbooks.get(name).sound().inputs
    return {one.name: one.doc for one in declared if one.name not in plan.inputs}


def _missing_inputs(runbook: str, inputs: Mapping[str, str]) -> Iterator[Problem]:
    for name, doc in inputs.items():
        what = f" ({doc.rstrip('.')})" if doc else ""
        hint = f"give it: --set {name}=…"
        yield Problem(f"runbook {runbook} needs the input {name!r}{what}", hint)


def _missing_secrets(secrets: Sequence[NeededSecret]) -> Iterator[Problem]:
    for one in secrets:
        if one.look.there is False:
            yield Problem(f"{one.look.message}; needed by {', '.join(one.steps)}", one.look.hint)


def _arguments(shown: Plan, secrets: Secrets) -> dict[str, Mapping[str, Value]]:
    """Each step's arguments: what earlier steps will give stays a reference."""
    return {
        step.id: redacted(
            {name: preview(value, shown.inputs) for name, value in step.arguments.items()}, secrets
        )
        for step in shown.steps
    }


def _past(program: Program, name: str) -> Past:
    """What the newest runs of that name took. The journal is only read, and made by nobody."""
    from drorch.journal.store import SqlJournal

    configuration = program.configuration
    try:
        with SqlJournal(configuration.state, folder=configuration.folder, create=False) as journal:
            over = [
                row
                for row in journal.rows(name=name)
                if row.kind in _RECOVERING and row.state is RunState.FINISHED
            ][:_PAST]
            spent = [one for row in over for one in experience_of(replay(journal.read(row.run)))]
    except NoJournal:
        return Past()
    except JournalUntrusted as error:
        return Past(trouble=error)
    return Past(tuple(spent), tuple(over))
