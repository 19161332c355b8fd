"""How commands are made: loaded when used, with the same options before and after the verb.

Imported for `--help`: only click and what it loads anyway.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import click

from drorch.cli.session import PROGRESS, Session


class Entry(NamedTuple):
    """One verb: its word, and what it does in one line. Its module in verbs/ is named as it is, with
    an underscore for a dash.
    """

    word: str
    help: str


class Section(NamedTuple):
    """Verbs that belong together."""

    title: str
    entries: tuple[Entry, ...]


def everywhere(command: click.Command) -> None:
    """Give a command the options that every command takes."""
    command.params += [
        click.Option(
            ["--config"],
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            expose_value=False,
            callback=_keep,
            help="The configuration; else $DRORCH_CONFIG, ./drorch.yaml, /etc/drorch/drorch.yaml.",
        ),
        click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Print exactly one JSON document.",
        ),
        click.Option(
            ["--progress"],
            type=click.Choice(PROGRESS),
            expose_value=False,
            callback=_keep,
            help="Progress: as fits the output, as JSON lines on stderr, or none.",
        ),
    ]


#: What stands under every other command instead of those options' full texts.
_EVERYWHERE = "Everywhere: --config FILE, --json, --progress auto|json|none; see drorch -h."


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Remember an option wherever it stood; the one nearest to the end of the line wins."""
    session = context.ensure_object(Session)
    if value and parameter.name:
        setattr(session, parameter.name, value)


def _format_options(
    command: click.Command, context: click.Context, formatter: click.HelpFormatter
) -> None:
    records = [
        record
        for parameter in command.get_params(context)
        if isinstance(parameter, click.Option)
        and parameter.callback is not _keep
        and (record := parameter.get_help_record(context)) is not None
    ]
    with formatter.section("Options"):
        formatter.write_dl(records)
    formatter.write_paragraph()
    formatter.write_text(_EVERYWHERE)


class Verb(click.Command):
    """A command at the end of a line."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        everywhere(self)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its own options first, then those that every command takes."""
        _format_options(self, ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Carry it out, ending as well by SIGTERM and SIGHUP as by Ctrl-C."""
        from drorch.cli.stopping import interruptible
        from drorch.cli.temporary import have_a_temporary_folder

        have_a_temporary_folder()
        ctx.ensure_object(Session).begun = True
        with interruptible():
            return super().invoke(ctx)


class Verbs(click.Group):
    """A verb with words below it, all in one module."""

    command_class = Verb

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **{"no_args_is_help": False, **settings})
        everywhere(self)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The words below it, in the order of the module."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The words below it, then the options."""
        self.format_commands(ctx, formatter)
        _format_options(self, ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The word's command; UsageError with the nearest word otherwise."""
        return _resolved(self, ctx, args)


class Catalogue(click.Group):
    """The verbs of the whole program, each loaded when it is used."""

    def __init__(self, sections: Sequence[Section], **settings: Any) -> None:
        super().__init__(**settings)
        self.sections = sections

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Every verb, in the catalogue's order."""
        return [entry.word for section in self.sections for entry in section.entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, loaded; None if there is no such verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"drorch.cli.verbs.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb's command; UsageError with the nearest verb otherwise."""
        return _resolved(self, ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by section, then the options."""
        width = max(len(entry.word) for section in self.sections for entry in section.entries)
        for section in self.sections:
            with formatter.section(section.title):
                # Padded, so that the columns of all sections stand below each other.
                formatter.write_dl([(e.word.ljust(width), e.help) for e in section.entries])
        click.Command.format_options(self, ctx, formatter)


def _resolved(
    group: click.Group, context: click.Context, arguments: list[str]
) -> tuple[str | None, click.Command | None, list[str]]:
    word = arguments[0]
    command = group.get_command(context, word)
    if command is not None or context.resilient_parsing:
        return (word if command else None), command, arguments[1:]
    from drorch.core.errors import UsageError
    from drorch.core.nearest import did_you_mean

    raise UsageError(
        f"there is no `{context.command_path} {word}`",
        did_you_mean(word, group.list_commands(context), f"{context.command_path} has"),
    )
