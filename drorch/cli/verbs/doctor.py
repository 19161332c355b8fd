"""`drorch doctor`: whatever would stop a backup or a failover."""

from collections.abc import Mapping
from typing import Any

import click

from drorch.cli.session import Session
from drorch.cli.tables import show_table
from drorch.cli.verb import Verb
from drorch.cli.words import one_line
from drorch.core.errors import ExitCode


@click.command(
    cls=Verb, name="doctor", help="Find what would stop a backup or a failover, before it does."
)
@click.pass_obj
def command(session: Session) -> int:
    """Look at everything, change nothing; 1 if a check failed."""
    from drorch.app.doctor import doctor

    found: Mapping[str, Any] = doctor(session.program)
    if session.json:
        session.emit(found)
        return _code(found)
    checks = found["checks"]
    show_table(
        session,
        ("check", "subject", "result", "message"),
        [(c["check"], c["subject"], c["result"], c["message"]) for c in checks],
        empty="nothing is configured that could be looked at",
    )
    hints: dict[str, list[str]] = {}
    for check in checks:
        if check["result"] != "pass" and check["hint"]:
            hints.setdefault(check["hint"], []).append(check["subject"] or check["check"])
    for hint, subjects in hints.items():
        session.say(f"hint: {', '.join(dict.fromkeys(subjects))}: {one_line(hint)}")
    counts = {word: sum(c["result"] == word for c in checks) for word in ("pass", "warn", "fail")}
    session.say(f"{counts['pass']} good, {counts['warn']} to think of, {counts['fail']} failed")
    return _code(found)


def _code(found: Mapping[str, Any]) -> int:
    return int(ExitCode.GOOD if found["ok"] else ExitCode.FAILED)
