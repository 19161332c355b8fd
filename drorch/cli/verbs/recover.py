"""`drorch recover`: everything drorch knows, back onto an empty machine, from one region."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.inputs import moment_given
from drorch.cli.session import Session
from drorch.cli.verb import Verb
from drorch.core.errors import ConfigurationError, ExitCode, Problem, UsageError

if TYPE_CHECKING:
    from drorch.app.plane.recovered import Recovered, Wish


@click.command(
    cls=Verb,
    name="recover",
    help="Bring back drorch's own records onto an empty machine, from one region.",
)
@click.option("--endpoint", metavar="URL", help="Where the region answers.")
@click.option("--bucket", metavar="NAME", help="Its bucket.")
@click.option("--prefix", metavar="P", default="", help="Its prefix, if it has one.")
@click.option(
    "--location", metavar="NAME", default="", help="The S3 region's name; us-east-1 unless told."
)
@click.option("--access-key-env", metavar="VAR", help="The variable with the access key.")
@click.option("--secret-key-env", metavar="VAR", help="The variable with the secret key.")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A file with the password that `control_plane.password` names.",
)
@click.option(
    "--to",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="An empty or new folder: configuration, runbooks and state come to lie there.",
)
@click.option(
    "--kit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The text of a recovery kit with shares, instead of a region, its keys and the password.",
)
@click.option(
    "--share",
    "shares",
    multiple=True,
    metavar="FILE",
    help="A file with the words of one holder, or - to be asked for them. Several.",
)
@click.option("--at", metavar="TIME", help="As it was then; a time without an offset is in UTC.")
@click.option(
    "--plane", metavar="ID", default="", help="Which, where the bucket holds several by mistake."
)
@click.option(
    "--instance",
    metavar="ID",
    default="",
    help="Whose history, where a control plane worked on beside another.",
)
@click.option(
    "--exercise",
    is_flag=True,
    help="As a drill: the other regions and this machine count as lost, and what is recovered only "
    "reads, there alone.",
)
@click.pass_obj
def command(session: Session, /, *, to: Path, at: str | None, **given: Any) -> int:
    """Needs no configuration, and writes nothing unless it is whole."""
    from drorch.app.plane.recovering import recover
    from drorch.cli.joining import check_given, recovered_by_kit
    from drorch.cli.recovered import broken, document, tell, tell_ready

    check_given(given)
    how = _how(to.absolute(), at, given)

    def ready(found: "Recovered") -> None:
        tell_ready(session, found)

    if given["kit"]:
        found = recovered_by_kit(session, given, how, ready)
    else:
        found = recover(_wish(given, how), ready)
    if session.json:
        session.emit(document(found))
    else:
        tell(session, found)
    if not found.report.ok:
        session.tell(*broken(found))
        return int(ExitCode.JOURNAL_UNTRUSTED)
    return int(ExitCode.GOOD)


def _how(to: Path, at: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a wish says besides the region and what opens it."""
    import os

    return {
        "to": to,
        "at": moment_given(at, "UTC") if at else None,
        "plane": given["plane"],
        "instance": given["instance"],
        "exercise": given["exercise"],
        "restic": os.environ.get("DRORCH_RESTIC", "restic"),
        "environment": dict(os.environ),
    }


def _wish(given: Mapping[str, Any], how: Mapping[str, Any]) -> "Wish":
    from drorch.app.plane.recovered import Wish
    from drorch.config.addresses import region_given
    from drorch.storage.client import Credentials

    location = given["location"] or "us-east-1"
    problems: list[Problem] = []
    with _noted(problems):
        region = region_given(given["endpoint"], given["bucket"], given["prefix"], location)
    with _noted(problems):
        access = _variable(given["access_key_env"], "access_key_env")
    with _noted(problems):
        secret = _variable(given["secret_key_env"], "secret_key_env")
    with _noted(problems):
        passphrase = _passphrase(given["password_file"])
    if problems:
        raise ConfigurationError(problems)
    return Wish(
        region=region, credentials=Credentials(access, secret), passphrase=passphrase, **how
    )


@contextmanager
def _noted(problems: list[Problem]) -> Iterator[None]:
    """Whoever types at night is told at once of everything that is wrong."""
    try:
        yield
    except UsageError as error:
        problems.append(Problem(error.message, error.hint))


def _variable(name: str, option: str) -> str:
    import os

    value = os.environ.get(name, "")
    if not value:
        raise UsageError(
            f"--{option.replace('_', '-')}: the variable {name} is not set",
            f"set it first: export {name}=…",
        )
    return value


def _passphrase(path: Path) -> str:
    try:
        value = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(
            f"{path} cannot be read: {why}", "name the file by --password-file"
        ) from None
    if not value:
        raise UsageError(f"{path} is empty", "put the control plane's password there")
    return value
