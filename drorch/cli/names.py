"""Completion of names that only the configuration or the journal knows. Says nothing when it cannot."""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from drorch.app.program import Program
    from drorch.core.model import Configuration

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(names: Callable[["Program"], Iterable[str]]) -> Completer:
    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        # Whatever is wrong, a shell in the middle of a word is not the place to say it.
        try:
            from drorch.app.program import Program

            session = context.find_root().obj
            program = Program.open(getattr(session, "config", None), os.environ)
            return [name for name in names(program) if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001 - see above
            return []

    return complete


def _of_configuration(names: Callable[["Configuration"], Iterable[str]]) -> Completer:
    return _completer(lambda program: names(program.configuration))


def _runs(program: "Program") -> list[str]:
    return [row.run for row in program.journal.rows(limit=50)]


def _unfinished(program: "Program") -> list[str]:
    return [row.run for row in program.journal.rows(unfinished=True)]


def _jobs(program: "Program") -> list[str]:
    from drorch.app.schedules import names

    return names(program)


def _open_actions(program: "Program") -> list[str]:
    from drorch.app.corrective import corrective_actions

    return [action.id for action in corrective_actions(program) if action.status == "open"]


dataset_names = _of_configuration(lambda c: c.datasets)
region_names = _of_configuration(lambda c: c.regions)
runbook_names = _completer(lambda program: program.runbooks.paths())
run_names = _completer(_runs)
open_actions = _completer(_open_actions)
job_names = _completer(_jobs)
unfinished_runs = _completer(_unfinished)
