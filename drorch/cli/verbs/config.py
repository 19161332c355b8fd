"""`drorch config`: whether drorch.yaml is sound, and its schema for editors."""

import os
from collections.abc import Mapping
from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.verb import Verbs


@click.group(cls=Verbs, name="config", help="Check drorch.yaml, or print its JSON Schema.")
def command() -> None:
    """The group."""


@command.command("check", help="Say everything that is wrong with the configuration, at once.")
@click.pass_obj
def check(session: Session) -> None:
    """Load the configuration afresh."""
    from drorch.config.load import check_configuration, find_configuration

    path = find_configuration(session.config, os.environ)
    found = check_configuration(path)
    counts = {
        "sites": len(found.sites),
        "regions": len(found.regions),
        "datasets": len(found.datasets),
        "services": len(found.services),
        "drills": len(found.drills),
    }
    if session.json:
        session.emit(
            {"ok": True, "file": str(found.file or path), "digest": found.digest, **counts}
        )
    told = ", ".join(f"{number} {_noun(what, number)}" for what, number in counts.items() if number)
    session.say(f"{path}: good ({told or 'empty'})")


def _noun(plural: str, number: int) -> str:
    return plural.removesuffix("s") if number == 1 else plural


@command.command("schema", help="Print the JSON Schema of drorch.yaml, for editors.")
@click.option("--runbook", is_flag=True, help="The schema of a runbook instead.")
@click.pass_obj
def schema(session: Session, *, runbook: bool) -> None:
    """Print the schema: it is JSON with or without --json."""
    session.emit(_runbook_schema() if runbook else _configuration_schema())


def _configuration_schema() -> Mapping[str, Any]:
    from drorch.config.models import configuration_schema

    return configuration_schema()


def _runbook_schema() -> Mapping[str, Any]:
    from drorch.config.runbook_models import runbook_schema

    return runbook_schema()
