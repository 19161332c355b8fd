"""`drorch completion`: the script that completes verbs, options and names in a shell."""

import click

from drorch.cli.session import Session
from drorch.cli.verb import Verb

HELP = """Print the script that completes words in your shell.

\b
  bash:  eval "$(drorch completion bash)"   in ~/.bashrc
  zsh:   eval "$(drorch completion zsh)"    in ~/.zshrc
  fish:  drorch completion fish > ~/.config/fish/completions/drorch.fish
"""


@click.command(cls=Verb, name="completion", help=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print click's own script. Its check of bash's version is left out: it starts a process."""
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - the choice above has only shells that click knows
    script = ShellComplete.source(
        kind(context.find_root().command, {}, "drorch", "_DRORCH_COMPLETE")
    )
    session: Session = context.obj
    if session.json:
        session.emit({"shell": shell, "script": script})
    session.say(script)
