"""What `--help` says of every verb is under a golden test, and costs next to nothing.

After a wanted change: DRORCH_WRITE_GOLDEN=1 pytest tests/e2e/cli/test_help.py
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from drorch.cli.catalogue import CATALOGUE
from drorch.cli.main import root

GOLDEN = Path(__file__).parent / "help"

#: Imported by nothing but verbs that need them: each costs more than all of click.
HEAVY = (
    "alembic",
    "apprise",
    "babel",
    "boto3",
    "botocore",
    "jinja2",
    "psycopg",
    "pydantic",
    "rich",
    "sqlalchemy",
    "tenacity",
    "typst",
    "yaml",
)


def helps(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    """The help of a command and of every command below it."""
    yield context.command_path, context.get_help()
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            yield from helps(below, click.Context(below, info_name=word, parent=context))


def every_help() -> dict[str, str]:
    command = root()
    settings = {**command.context_settings, "terminal_width": 80}
    context = click.Context(command, info_name="drorch", **settings)
    return dict(helps(command, context))


def test_every_help_is_as_it_was_written():
    found = every_help()
    if os.environ.get("DRORCH_WRITE_GOLDEN"):
        for old in GOLDEN.glob("*.txt"):
            old.unlink()
        for path, text in found.items():
            (GOLDEN / f"{path.replace(' ', '-')}.txt").write_text(f"{text}\n", encoding="utf-8")
    golden = {p.stem: p.read_text(encoding="utf-8") for p in GOLDEN.glob("*.txt")}
    assert {path.replace(" ", "-"): f"{text}\n" for path, text in found.items()} == golden


@pytest.mark.parametrize(
    "entry", [e for section in CATALOGUE for e in section.entries], ids=lambda e: e.word
)
def test_the_catalogue_says_what_the_verb_says(entry):
    command = root()
    verb = command.get_command(click.Context(command), entry.word)
    assert verb.name == entry.word
    assert (verb.help or "").split("\n\n")[0].strip() == entry.help


def test_every_command_takes_the_same_options():
    for path, text in every_help().items():
        for option in ("--config", "--json", "--progress"):
            assert option in text, path


def modules_after(*arguments: str) -> set[str]:
    """What a real `drorch` has imported when it leaves."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\n"
        "from drorch.cli.main import main\n"
        f"main({list(arguments)!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",)])
def test_help_imports_click_and_hardly_more(arguments):
    click_alone = subprocess.run(
        [sys.executable, "-c", "import sys, click; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    more = modules_after(*arguments) - set(click_alone.stdout.split())
    ours = {name for name in more if name.split(".")[0] == "drorch"}
    assert ours == {
        "drorch",
        "drorch.cli",
        "drorch.cli.catalogue",
        "drorch.cli.main",
        "drorch.cli.session",
        "drorch.cli.verb",
    }
    # What argument lists and columns need beyond `import click`: a handful, and all small.
    assert len(more - ours) < 25, sorted(more - ours)


@pytest.mark.parametrize("verb", [e.word for section in CATALOGUE for e in section.entries])
def test_the_help_of_a_verb_imports_nothing_heavy(verb):
    loaded = {name.split(".")[0] for name in modules_after(verb, "--help")}
    assert loaded.isdisjoint(HEAVY)
