"""The entry point. Knows no verb: they stand in catalogue.py and load when they are used.

Imported for `--help`, so nothing but click, the standard library that click loads anyway, and
core/errors.
"""

import signal

# Whoever presses Ctrl-C while the rest is loaded is to see no traceback: the process just ends.
_INTERRUPT = signal.getsignal(signal.SIGINT)
if _INTERRUPT is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import gc  # noqa: E402
import io  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from typing import NoReturn  # noqa: E402

import click  # noqa: E402

from drorch import __version__  # noqa: E402
from drorch.cli.catalogue import CATALOGUE  # noqa: E402
from drorch.cli.session import Session  # noqa: E402
from drorch.cli.verb import Catalogue, everywhere  # noqa: E402

if _INTERRUPT is signal.default_int_handler:
    signal.signal(signal.SIGINT, _INTERRUPT)


def root() -> Catalogue:
    """The whole command tree, made afresh."""
    root = Catalogue(
        CATALOGUE,
        name="drorch",
        help="Disaster recovery: encrypted backup to several regions, failover drills, evidence.",
        epilog="Exit codes: 0 good, 1 failed, 2 usage or configuration, 3 an objective was missed, "
        "4 already running, 5 journal cannot be trusted, 6 aborted, 7 waiting for a person, "
        "130 interrupted.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        no_args_is_help=False,
        invoke_without_command=True,
        callback=_without_verb,
    )
    everywhere(root)
    version = click.version_option(__version__, prog_name="drorch", message="%(prog)s %(version)s")
    return version(root)


@click.pass_context
def _without_verb(context: click.Context) -> None:
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Carry out one command line and leave with its exit code."""
    # Modules are made of many objects that are never garbage. With Python's thresholds they are
    # walked again and again while they load (a tenth of a start), and once more at the end.
    gc.set_threshold(50_000, 20, 20)
    _fill_standard_streams()
    _buffer_stdout()
    code = carry_out(sys.argv[1:] if arguments is None else arguments)
    gc.freeze()
    sys.exit(code)


def _fill_standard_streams() -> None:
    """Whatever was closed before the start: else the next file that is opened, perhaps the journal,
    would be what a child takes for its output.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _buffer_stdout() -> None:
    """With PYTHONUNBUFFERED Python drops, without a word, what one write to a full disk leaves over."""
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        buffered = io.BufferedWriter(raw)
        sys.stdout = io.TextIOWrapper(buffered, sys.stdout.encoding, sys.stdout.errors)


def carry_out(arguments: Sequence[str]) -> int:
    """Carry out one command line; whatever goes wrong is told on stderr, never as a traceback."""
    session = Session(arguments)
    code: object
    try:
        code = root().main(list(arguments), "drorch", standalone_mode=False, obj=session)
    except BaseException as error:  # noqa: BLE001 - the last line of defence: no traceback
        from drorch.cli.failing import told

        code = told(error, session)
    session.protect()
    if (lost := session.lost()) is not None:
        session.tell(f"error: {lost.message}", f"hint: {lost.hint}")
        code = code or int(lost.exit_code)
    session.close()
    return int(code) if isinstance(code, int) else 0
