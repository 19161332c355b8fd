"""Bringing an older schema to this code's revision, by Alembic. The only module that imports it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_SCRIPTS = Path(__file__).parent / "migrations"


def knows(revision: str) -> bool:
    """Whether there is a way from that revision to this code's."""
    scripts = ScriptDirectory(str(_SCRIPTS))
    return revision in {script.revision for script in scripts.walk_revisions()}


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
