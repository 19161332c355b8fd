"""`drorch init`: a folder to start from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.verb import Verb


@click.command(
    cls=Verb, name="init", help="Write a drorch.yaml to start from, a password and the runbooks."
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.pass_obj
def command(session: Session, folder: Path) -> None:
    """Never overwrites what is there."""
    from drorch.app.setup import initialise_folder

    done: Mapping[str, Any] = initialise_folder(folder)
    if session.json:
        session.emit(done)
        return
    for path in done["written"]:
        session.say(f"wrote {path}")
    session.say("")
    session.say("secrets/repo-key opens the backups: keep a copy of it in a safe.")
    session.say(
        "secrets/evidence-key seals evidence: give its public half, evidence-key.pub, to auditors."
    )
    session.say("Next: edit drorch.yaml, then run drorch config check and drorch doctor.")
