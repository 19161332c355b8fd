"""A new password, given in a way that leaves no trace: by name, by file, or typed in unseen."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from drorch.cli.session import Session
from drorch.core.errors import UsageError


def password_options(prefix: str) -> Callable[[Any], Any]:
    """The two options by which a line names a password; never the password itself."""
    by_secret = click.option(
        f"--{prefix}-secret",
        "secret",
        metavar="NAME",
        help="The configuration's secret that holds the new password.",
    )
    by_file = click.option(
        f"--{prefix}-file",
        "file",
        metavar="FILE",
        help="A file that holds it, or - for standard input.",
    )
    return lambda function: by_secret(by_file(function))


def given(session: Session, secret: str | None, file: str | None, *, ask: bool) -> str | None:
    """The name of the secret that holds the password; None if there is none and nobody is asked."""
    if secret is not None and file is not None:
        raise UsageError("the password is named twice", "name a secret or a file, not both")
    if secret is not None:
        return secret
    if file is not None:
        return session.program.secrets.lend(_read(file))
    if not ask:
        return None
    if session.somebody_there:
        typed = click.prompt("New password", hide_input=True, confirmation_prompt=True)
        return session.program.secrets.lend(str(typed))
    raise UsageError(
        "no new password is named",
        "name a secret of the configuration, or a file (- for standard input), that holds it",
    )


def _read(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        text = raw.decode()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "name another") from None
    except UnicodeDecodeError:
        raise UsageError(
            f"the password in {file} is not text in UTF-8", "use text, base64 for example"
        ) from None
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise UsageError(f"there is no password in {file}", "put it there")
    return password
