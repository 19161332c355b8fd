"""The end of a recovery: the journal verified, newer backups adopted, all of it put where it was wanted."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from drorch.adapters.evidence import make_private, write_durably
from drorch.adapters.secrets import ConfiguredSecrets, SecretLook
from drorch.app.plane.adopting import adopt
from drorch.app.plane.files import CONFIGURATION
from drorch.app.plane.opening import Made, name_of
from drorch.app.plane.recovered import Recovered, Seen, Wish
from drorch.app.program import Program
from drorch.core.model import Configuration
from drorch.core.plane import plane_password
from drorch.journal.verify import verify_journal


def finished(wish: Wish, made: Made, seen: Iterable[Seen]) -> Recovered:
    """Verify, adopt, and let it appear as the folder that was wished for."""
    program, tree, to = made.program, made.tree, wish.to
    configuration = program.configuration
    written = _passphrase(wish, configuration, tree)
    try:
        report = verify_journal(program.journal)
        adopted = adopt(program) if report.ok else ()
    finally:
        program.journal.close()
    missing = _missing(program)
    shutil.rmtree(tree / "var" / ".cache", ignore_errors=True)
    make_private(to.parent)
    tree.rename(to)
    if written is not None and not written.is_relative_to(tree):
        with suppress(OSError):
            make_private(written.parent)
            if not written.exists():
                write_durably(written, wish.passphrase.encode() + b"\n")
    chosen = made.candidate
    return Recovered(
        to=to,
        region=name_of(configuration, chosen.opened.bucket.region) or chosen.region,
        at=chosen.at,
        until=chosen.until,
        organization=configuration.organization,
        events=report.events,
        report=report,
        seen=tuple(replace(s, message=_there(s.message, tree, to)) for s in seen),
        secrets=tuple(_moved(one, tree, to) for one in missing),
        written=_at(written, tree, to),
        left_out=made.brought.left_out,
        adopted=adopted,
        command=_command(configuration, to),
    )


def _passphrase(wish: Wish, configuration: Configuration, tree: Path) -> Path | None:
    """Put it where the configuration expects it, if that is a file."""
    source = configuration.secrets.get(plane_password(configuration) or "")
    if source is None or source.file is None:
        return None
    if source.file.is_relative_to(tree):
        make_private(source.file.parent)
        write_durably(source.file, wish.passphrase.encode() + b"\n")
    return source.file


def _missing(program: Program) -> list[SecretLook]:
    """The secrets that have to be given again."""
    configuration = program.configuration
    secrets = ConfiguredSecrets(configuration, program.commands, program.environment)
    return [one for one in map(secrets.look, configuration.secrets) if one.there is not True]


def _moved(one: SecretLook, tree: Path, to: Path) -> SecretLook:
    return replace(
        one,
        source=_there(one.source, tree, to),
        message=_there(one.message, tree, to),
        hint=_there(one.hint, tree, to),
    )


def _there(text: str, tree: Path, to: Path) -> str:
    """What was said of the folder beside, of the one it became."""
    return text.replace(str(tree), str(to))


def _at(path: Path | None, tree: Path, to: Path) -> Path | None:
    if path is None or not path.is_relative_to(tree):
        return path
    return to / path.relative_to(tree)


def _command(configuration: Configuration, to: Path) -> str:
    """The one command that starts a failover: of the service that comes first."""
    services = [s for s in configuration.services.values() if s.runbook]
    first = min(services, key=lambda s: s.tier if s.tier is not None else 99, default=None)
    name = first.runbook if first is not None else "RUNBOOK"
    return f'drorch --config {to / CONFIGURATION} failover {name} --declare "WHY"'
