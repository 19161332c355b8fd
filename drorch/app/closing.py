"""What is sealed as runs end: exercises and recoveries as bundles, and the ledger's head over all runs.

    sealed/head.json    the newest signed head: up to its entry everything is sealed
    sealed/sent.json    the newest that was put down for the regions

Before a head is signed the ledger must still hold the one before it: what was cut or rewritten
is not sealed over.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from drorch.adapters.evidence import write_durably
from drorch.app.apart import apart
from drorch.app.evidence import all_well, note_trouble
from drorch.app.keyring import sealing_key, trusted_keys
from drorch.app.outbox import put_down, putting_down, sealed_folder
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError, JournalUntrusted
from drorch.core.exercises import EVIDENCE
from drorch.journal.chain import TAMPERED
from drorch.journal.ledger import Ended, ended_after, entry_at, last_entry
from drorch.sealing.envelope import NotSealed
from drorch.sealing.head import Head, head_of, signed_head
from drorch.sealing.keys import PrivateKey

#: Between two heads that go to the regions while nothing ends that counts as evidence.
HEADS = timedelta(hours=1)

#: Where nothing was sealed before, runs that ended so long ago are still sealed.
BEFORE_THE_FIRST = timedelta(days=1)

#: So many runs are sealed at once; the others at the next time.
AT_ONCE = 10

_HEAD, _SENT = "head.json", "sent.json"
_MAKING = ".making-"


@dataclass(frozen=True, slots=True)
class Closed:
    """What was sealed: the runs, and up to where all are. `more`: others wait for the next time."""

    runs: Sequence[str]
    head: Head
    more: bool = False


def close(program: Program, *, heads: bool = True) -> Closed | None:
    """Seal what ended since the last time; None if nothing did, or there is no key.

    Without `heads` it waits for nothing unless there is evidence: nothing is put down for the regions,
    and where another process is sealing it is left to that one, and to the next time. Harmless again,
    also after it was killed. Raises DrorchError where it cannot be done, which then stands in
    `status`, too, until it can.
    """
    if program.configuration.evidence.key is None or program.configuration.exercise is not None:
        return None
    try:
        closed = _close(program, heads=heads)
    except BlockingIOError:
        return None
    except DrorchError as error:
        note_trouble(program, error)
        raise
    except Exception as error:
        # A run that cannot be sealed holds up those after it: that must show wherever people look.
        note_trouble(program, _broke(error))
        raise
    all_well(program)
    return closed


def _broke(error: Exception) -> DrorchError:
    return DrorchError(
        f"{type(error).__name__}: {error}",
        "this is a defect, please report it; drorch journal seal tells where it stands",
    )


def _close(program: Program, *, heads: bool) -> Closed | None:
    key = sealing_key(program)
    if key is None:
        return None
    wait = heads or bool(_ended(program, newest_head(program)))
    with putting_down(program, wait=wait):
        _clear_leftovers(program)
        last = last_entry(program.journal)
        if last is None:
            return None
        before = newest_head(program)
        if before is not None:
            _still_there(program, before)
            if before.n == last.n:
                return None
        ended = _ended(program, before)
        now = ended[:AT_ONCE]
        for one in now:
            put_down(program, "runs", f"{one.run}.zip", _bundle(program, one.run))
        more = len(ended) > len(now)
        sent = bool(now) or (heads and _due(program))
        head = _signed(program, key, now[-1].n if more else last.n, sent=sent)
    return Closed([one.run for one in now], head, more)


def _bundle(program: Program, run: str) -> bytes:
    # Not for a backup, after which only the head is sealed.
    if program.lasting:
        return _bundled_apart(program, run)
    from drorch.app.sealing import seal_run
    from drorch.sealing.packing import packed

    return packed(seal_run(program, run))


def _bundled_apart(program: Program, run: str) -> bytes:
    """The very same bytes: a bundle of the same run always has them."""
    with TemporaryDirectory(dir=sealed_folder(program), prefix=_MAKING) as folder:
        output = Path(folder) / f"{run}.zip"
        apart(program, "journal", "export", run, "--output", str(output))
        return output.read_bytes()


def _clear_leftovers(program: Program) -> None:
    """Of processes that were killed while they made a bundle: nobody else makes one meanwhile."""
    for left in sealed_folder(program).glob(f"{_MAKING}*"):
        shutil.rmtree(left, ignore_errors=True)


def _ended(program: Program, before: Head | None) -> list[Ended]:
    since = program.clock.now().at - BEFORE_THE_FIRST
    if before is not None:
        since = datetime.min.replace(tzinfo=UTC)
    found = ended_after(program.journal, before.n if before else 0, since)
    return [one for one in found if one.kind in EVIDENCE]


def _due(program: Program) -> bool:
    """Whether it is time that regions get a head, too."""
    known = _read(program, sealed_folder(program) / _SENT)
    return known is None or not timedelta() <= program.clock.now().at - known.at < HEADS


def _signed(program: Program, key: PrivateKey, n: int, *, sent: bool) -> Head:
    """Sign the ledger's head at that entry; if it is to be sent, put it down for the regions."""
    entry = entry_at(program.journal, n)
    if entry is None:
        raise _cut(f"entry {n}, which was there a moment ago, is gone")
    head = Head(program.configuration.organization, n, entry.hash, program.clock.now().at)
    envelope, folder = signed_head(head, key), sealed_folder(program)
    if sent:
        put_down(program, "heads", f"{n:012d}.json", envelope)
        write_durably(folder / _SENT, envelope)
    write_durably(folder / _HEAD, envelope)
    return head


def newest_head(program: Program) -> Head | None:
    """The newest head that was signed here; None if none was. Raises JournalUntrusted for one that
    nobody trusted signed.
    """
    return _read(program, sealed_folder(program) / _HEAD)


def _read(program: Program, file: Path) -> Head | None:
    try:
        envelope = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return head_of(envelope, trusted_keys(program))
    except NotSealed as error:
        raise JournalUntrusted(
            f"{file} cannot be believed: {error}",
            "list the public half of every key that sealed here in evidence.public_key; "
            "else compare the journal with a region's copy",
        ) from None


def _still_there(program: Program, head: Head) -> None:
    if flaw := flaw_of(program, head):
        raise _cut(flaw)


def flaw_of(program: Program, head: Head) -> str:
    """What is wrong with the ledger by a head that was signed earlier; empty if nothing is."""
    entry = entry_at(program.journal, head.n)
    when = f"the head that was signed at {rfc3339(head.at)}"
    if entry is None:
        last = last_entry(program.journal)
        if last is not None and last.n > head.n:
            return f"entry {head.n} is gone, which is {when}"
        ends = f"ends at {last.n}" if last else "is empty"
        return f"{when} is entry {head.n}, but the ledger {ends}: its tail was cut"
    if entry.hash != head.hash:
        return f"entry {head.n} is not {when}: the ledger was rewritten"
    return ""


def _cut(flaw: str) -> JournalUntrusted:
    return JournalUntrusted(f"the ledger is not what was sealed: {flaw}", TAMPERED)
