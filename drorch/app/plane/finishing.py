"""The end of a recovery: the chains verified, newer backups adopted, all of it put where it was wanted,
and then what is kept beside the events held against them: in a journal of years that takes minutes,
in which a failover can begin already.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shlex import quote

from drorch.adapters.crews import crew
from drorch.adapters.evidence import sync_folder
from drorch.adapters.secrets import ConfiguredSecrets, SecretLook
from drorch.app.plane.adopting import Adopted, adopt
from drorch.app.plane.files import CONFIGURATION
from drorch.app.plane.giving import give_inside, put, still_missing
from drorch.app.plane.looking import Opened
from drorch.app.plane.opening import MOVED, Made, name_of
from drorch.app.plane.recovered import Recovered, RelativePath, Seen, Wish
from drorch.app.plane.succeeding import histories, next_term, others_present
from drorch.app.program import Program
from drorch.app.runs import SUPERSEDED
from drorch.core.errors import JournalUntrusted
from drorch.core.model import Configuration, by_tier, failovers
from drorch.core.names import RunKind
from drorch.core.plane import plane_password
from drorch.core.posture import RunRow
from drorch.core.terms import TermBegun
from drorch.journal.report import Flaw
from drorch.journal.store import SqlJournal
from drorch.journal.verify import Looking, verify_journal

#: Runs that the next one on their dataset ends, though it does not do their work: half done, they leave a
#: region or its keys between two states.
_BY_HAND = frozenset({RunKind.REWIND, RunKind.KEYS})


def finished(
    wish: Wish,
    made: Made,
    seen: Iterable[Seen],
    found: Sequence[Opened],
    ready: Callable[[Recovered], None],
) -> Recovered:
    """Verify, adopt, and let it appear as the folder that was wished for, as records of its own: it is
    `ready` then, with a report of the chains alone.
    """
    with crew() as others:
        placed = _placed(wish, made, seen, found, others)
        if not placed.report.ok:
            return placed
        ready(placed)
        flaws = _flaws_of_kept(placed.to, others)
    return replace(placed, report=replace(placed.report, flaws=flaws), rebuild=bool(flaws))


def _flaws_of_kept(to: Path, others: Executor | None) -> tuple[Flaw, ...]:
    try:
        with SqlJournal(MOVED["state"], folder=to, create=False) as journal:
            return verify_journal(journal, others, Looking.KEPT).flaws
    except JournalUntrusted as error:
        return (Flaw("copies", error.message),)


def _placed(
    wish: Wish,
    made: Made,
    seen: Iterable[Seen],
    found: Sequence[Opened],
    others: Executor | None,
) -> Recovered:
    program, tree, to = made.program, made.tree, wish.to
    configuration = made.placed
    password = _password_file(wish, configuration)
    inside = password is not None and password.is_relative_to(to)
    give_inside(configuration, tree, wish.secrets)
    if password is not None and inside:
        put(tree / password.relative_to(to), wish.passphrase)
    try:
        report = verify_journal(program.journal, others, Looking.CHAINS)
        present, term = others_present(found), next_term(program, made.candidate, found)
        adopted, broken = _adopted(program, term) if report.ok else ((), ())
        elsewhere = histories(made.candidate, found)
        left_open = tuple(_left_open(program)) if report.ok and not broken else ()
    finally:
        program.journal.close()
    shutil.rmtree(tree / "var" / ".cache", ignore_errors=True)
    tree.rename(to)
    sync_folder(to.parent)
    written = password if inside else _put_outside(password, wish.passphrase)
    given = plane_password(configuration) if written else None
    chosen = made.candidate
    return Recovered(
        to=to,
        region=name_of(configuration, chosen.opened.bucket.region) or chosen.region,
        at=chosen.at,
        until=chosen.until,
        organization=configuration.organization,
        events=report.events,
        report=replace(report, flaws=report.flaws or broken),
        rebuild=bool(broken),
        seen=tuple(seen),
        secrets=tuple(
            still_missing(
                (one for one in _missing(wish, made) if one.name != given),
                configuration,
                to,
                wish.secrets,
            )
        ),
        written=written,
        relative=tuple(_relative(made)),
        left_open=left_open,
        left_out=made.brought.left_out,
        adopted=adopted,
        command=next_command(configuration, to),
        fails_over=bool(failovers(configuration)),
        term=term,
        others=present,
        elsewhere=elsewhere,
        exercise=wish.exercise,
    )


def _adopted(program: Program, term: TermBegun) -> tuple[tuple[Adopted, ...], tuple[Flaw, ...]]:
    """What was learned; or why nothing could be, of what is kept beside the events."""
    try:
        return adopt(program, term), ()
    except JournalUntrusted as error:
        return (), (Flaw("copies", error.message),)


def _left_open(program: Program) -> Iterator[RunRow]:
    """The runs that were under way at the loss and that nothing does again; of an exercise none, which
    leaves them to those who carry them.
    """
    done_again = SUPERSEDED - _BY_HAND
    for row in program.journal.rows(unfinished=True):
        if row.kind not in done_again and program.configuration.exercise is None:
            yield row


def _password_file(wish: Wish, configuration: Configuration) -> Path | None:
    """Where the configuration expects the passphrase, if that is a file. An exercise reads no file of
    secrets, and writes nothing elsewhere.
    """
    if wish.exercise:
        return None
    source = configuration.secrets.get(plane_password(configuration) or "")
    return source.file if source is not None else None


def _put_outside(path: Path | None, passphrase: str) -> Path | None:
    """Put it outside of what was recovered, where nothing is there; None where nothing was put."""
    if path is None:
        return None
    with suppress(OSError):
        if not path.exists():
            put(path, passphrase)
            return path
    return None


def _missing(wish: Wish, made: Made) -> list[SecretLook]:
    """The secrets that have to be given again, looked for once all of it is in its place."""
    program = made.program
    secrets = (
        program.secrets
        if wish.exercise
        else ConfiguredSecrets(made.placed, program.commands, program.environment)
    )
    return [one for one in map(secrets.look, made.placed.secrets) if one.there is not True]


def _relative(made: Made) -> Iterator[RelativePath]:
    """What names another place in another folder was not written as an absolute path."""
    for name, dataset in made.placed.datasets.items():
        here = made.program.configuration.datasets[name].paths
        for one, other in zip(dataset.paths, here, strict=True):
            if one != other:
                yield RelativePath(name, one, os.path.lexists(one))


def next_command(configuration: Configuration, to: Path) -> str:
    """What brings something back now: the failover of the service that comes first, or, where no service
    has a runbook, a restore of the dataset that does.
    """
    drorch = f"drorch --config {quote(str(to / CONFIGURATION))}"
    for service in failovers(configuration):
        return f'{drorch} failover {quote(service.runbook or "")} --declare "WHY"'
    for dataset in by_tier(configuration.datasets.values()):
        return f"{drorch} restore {quote(dataset.name)} --to FOLDER"
    return f"{drorch} status"
