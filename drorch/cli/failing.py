"""What went wrong, as `error:` and `hint:` lines on stderr, and with --json as a document."""

import errno
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from drorch.cli.session import Session
from drorch.cli.words import clean
from drorch.core.errors import (
    ConfigurationError,
    DrorchError,
    ExitCode,
    Problem,
    UsageError,
    render_error,
)

if TYPE_CHECKING:
    from pathlib import Path


#: What files and folders may be in the way of anything that uses them.
_OF_THE_PLACE = frozenset(
    {
        errno.EACCES, errno.EDQUOT, errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG,
        errno.ENOENT, errno.ENOSPC, errno.ENOTDIR, errno.EPERM, errno.EROFS, errno.ESTALE,
    }
)  # fmt: skip

#: Of them, what is the disk's whichever file it was: writing tells of none.
_OF_THE_DISK = frozenset({errno.EDQUOT, errno.EIO, errno.ENOSPC, errno.EROFS})


class _Stopped(DrorchError):
    """The line was ended by a signal before it had anything to clean up."""

    exit_code = ExitCode.INTERRUPTED


class _Broke(DrorchError):
    """A defect of drorch."""


def told(error: BaseException, session: Session) -> int:
    """Tell what went wrong; returns the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, OSError) and not session.begun and not error.filename:
        # click could not print a help text.
        session.broke_off(error)
        return int(ExitCode.FAILED)
    known = _known(error, session)
    session.tell(*lines_of(known))
    # One document and no more: what was printed already stands.
    if session.json and not session.printed:
        session.emit({"error": document_of(known)})
    return int(known.exit_code)


def lines_of(error: DrorchError) -> list[str]:
    """The lines that tell of an error: every problem of a configuration, each with its hint."""
    return [clean(line) for line in render_error(error).splitlines()]


def document_of(error: DrorchError) -> Mapping[str, Any]:
    """An error for scripts. `problems` is empty unless a file or a plan was refused."""
    problems: Sequence[Problem] = error.problems if isinstance(error, ConfigurationError) else ()
    return {
        "message": error.message,
        "hint": error.hint,
        "exit_code": int(error.exit_code),
        "problems": problem_documents(problems),
    }


def problem_documents(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Problems for scripts, each with its place."""
    return [
        {"message": p.message, "hint": p.hint, "file": p.file, "line": p.line, "column": p.column}
        for p in problems
    ]


def _known(error: BaseException, session: Session) -> DrorchError:
    if isinstance(error, DrorchError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return _Stopped("interrupted", "")
    if isinstance(error, OSError) and error.errno in (
        _OF_THE_PLACE if error.filename else _OF_THE_DISK
    ):
        return _refused(error, session)
    return _broke(error, session)


def _usage(error: click.ClickException) -> UsageError:
    message = error.format_message().strip().removesuffix(".")
    hint = ""
    if isinstance(error, click.NoSuchOption):
        message = f"there is no option {error.option_name}"
        if error.possibilities:
            hint = f"did you mean {min(error.possibilities)}?"
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None and not hint:
        hint = f"{context.command_path} --help says how it is used"
        if isinstance(context.command, click.Group) and message == "Missing command":
            message = f"`{context.command_path}` needs a word after it"
            hint = f"one of: {', '.join(context.command.list_commands(context))}"
    return UsageError(message[:1].lower() + message[1:], hint)


def _refused(error: OSError, session: Session) -> DrorchError:
    """The machine did not give what was asked of it: seldom a defect, so the traceback is kept beside."""
    path = _kept(_traceback(error, session), session)
    where = f"; how it came about stands in {path}" if path else ""
    hint = (
        f"see that the path is right, this user may use it, and its disk works and has room{where}"
    )
    what = str(error.filename or "a file that was to be written")
    return DrorchError(f"{what}: {error.strerror}", hint)


def _traceback(error: BaseException, session: Session) -> str:
    import traceback

    return _redacted("".join(traceback.format_exception(error)), session)


def _redacted(text: str, session: Session) -> str:
    program = session.opened
    known = program is not None and "secrets" in vars(program)
    return program.secrets.redact(text) if program is not None and known else text


def _broke(error: BaseException, session: Session) -> DrorchError:
    """A defect: the traceback goes to a file, its secrets taken out, for whoever mends it."""
    text = _traceback(error, session)
    last = _redacted(f"{type(error).__name__}: {error}".rstrip(": "), session)
    path = _kept(text, session)
    where = f"; how it came about stands in {path}" if path else ""
    return _Broke(f"drorch broke: {last}", f"this is a defect, please report it{where}")


def _kept(text: str, session: Session) -> "Path | None":
    import os
    import tempfile
    import time
    from pathlib import Path

    program = session.opened
    places = [program.configuration.work / "broken"] if program is not None else []
    name = f"drorch-{time.strftime('%Y-%m-%dT%H-%M-%SZ', time.gmtime())}-{os.getpid()}.txt"
    with suppress(OSError):  # there may be no folder for temporary files at all
        places.append(Path(tempfile.gettempdir()))
    for place in places:
        try:
            place.mkdir(mode=0o700, exist_ok=True)
            file = os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123 - a descriptor, not a path
                out.write(f"drorch {' '.join(sys.argv[1:])}\n{text}")
        except OSError:
            continue
        return place / name
    return None
