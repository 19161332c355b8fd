"""`drorch daemon`: keep every schedule, unattended."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from drorch.cli.session import Session
from drorch.cli.verb import Verb

if TYPE_CHECKING:
    from drorch.adapters.logs import Log


@click.command(
    cls=Verb,
    name="daemon",
    help="Keep every schedule, unattended: backups, checks, restore tests, drills.",
)
@click.option("--once", is_flag=True, help="Do what is due, and end; for cron and timers.")
@click.pass_obj
def command(session: Session, *, once: bool) -> int:
    """Work until SIGTERM; with --once until nothing is due. SIGHUP reads the configuration again."""
    from drorch.app.exercised import refuse

    refuse(session.program, "the daemon is not started")
    return _once(session) if once else _daemon(session)


def _daemon(session: Session) -> int:
    from drorch.adapters.lease import Lease
    from drorch.adapters.systemd import ServiceManager
    from drorch.daemon.loop import Daemon

    program = session.program
    program.lasting = True
    with Lease(program.configuration.work) as lease, _log(session) as log:
        daemon = Daemon(program, log, lease, ServiceManager.of(program.environment))
        code = daemon.run()
        if session.json:
            session.emit(daemon.document())
    return int(code)


def _once(session: Session) -> int:
    from drorch.app.once import once
    from drorch.app.runs import Control
    from drorch.cli.batch import say_each
    from drorch.cli.carrying import worst
    from drorch.cli.stopping import stoppable
    from drorch.core.errors import ExitCode

    program, control = session.program, Control()
    with _log(session) as log, stoppable(control, program.owner.user) as stopping:
        found = once(program, log, control=control)
    say_each(session, list(found.items()))
    if not found:
        session.say("nothing is due")
    codes = [one.exit_code for one in found.values()]
    return int(ExitCode.INTERRUPTED if stopping.times else worst(codes))


@contextmanager
def _log(session: Session) -> "Iterator[Log]":
    from drorch.adapters.logs import Form, open_log

    program = session.program
    form: Form = "json" if program.configuration.daemon.log == "json" else "plain"
    log = open_log(form, program.secrets.redact)
    try:
        yield log
    finally:
        log.close()
