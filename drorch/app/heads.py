"""The journal against signed heads of its ledger: the one kept here, and those that regions keep.

A region is asked side by side with the others, and one that does not answer costs seconds.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from drorch.app.closing import flaw_of, newest_head
from drorch.app.keyring import trusted_keys
from drorch.app.outbox import EVIDENCE
from drorch.app.plane.terms import others_of, own_term
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError
from drorch.core.model import evidence_regions
from drorch.journal.report import Flaw
from drorch.journal.verify import LEDGER
from drorch.sealing.envelope import NotSealed
from drorch.sealing.head import Head, head_of
from drorch.sealing.keys import PublicKey

#: So many of a region's newest heads are looked at for one that somebody trusted signed.
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """A head that the ledger was held against, where it was kept, and what is wrong by it."""

    where: str
    head: Head | None
    flaws: Sequence[Flaw] = ()
    unread: str = ""


def compare(program: Program, *, offline: bool = False) -> Sequence[Compared]:
    """Hold the ledger against every newest signed head that can be had; `offline`: only the one here.

    Raises DrorchError only where a configured key cannot be had.
    """
    trusted = trusted_keys(program)
    if not trusted:
        unread = "no public key is configured (evidence.public_key)"
        return [Compared("signed heads", None, unread=unread)]
    regions = () if offline else evidence_regions(program.configuration)
    with ThreadPoolExecutor(max(1, len(regions))) as pool:
        asked = pool.map(lambda name: _region(program, name, trusted), regions)
        return [_here(program), *asked]


def _here(program: Program) -> Compared:
    try:
        head = newest_head(program)
    except DrorchError as error:
        return Compared("here", None, [Flaw("sealed/head.json", error.message)])
    if head is None:
        return Compared("here", None, unread="nothing was sealed here yet")
    return _held(program, "here", head)


def _region(program: Program, name: str, trusted: Sequence[PublicKey]) -> Compared:
    where = f"region {name}"
    flaws: list[Flaw] = []
    try:
        for flaw, head in _heads(program, name, trusted):
            if head is not None:
                held = _held(program, where, head)
                return Compared(where, head, [*flaws, *held.flaws])
            flaws.append(flaw)
    except DrorchError as error:
        return Compared(where, None, flaws, unread=error.message)
    return Compared(where, None, flaws, unread="it holds no signed head of this ledger")


def _heads(
    program: Program, name: str, trusted: Sequence[PublicKey]
) -> Iterator[tuple[Flaw, Head | None]]:
    """A region's newest heads; those that nobody trusted signed as None. Other organisations' are
    passed over: they may share a bucket.
    """
    from drorch.actions.places import bucket_of
    from drorch.storage.probe import probe
    from drorch.storage.records import newest

    bucket = bucket_of(program.tools, program.region(name))
    probe(bucket).raise_for_trouble()
    for record in newest(bucket, f"{EVIDENCE}/heads/")[:_LOOKED_AT]:
        try:
            head = head_of(bucket.get(record), trusted)
        except NotSealed as error:
            yield Flaw(record, f"in region {name}: {error}"), None
            continue
        if head.organization == program.configuration.organization:
            yield Flaw(record, ""), head


def _held(program: Program, where: str, head: Head) -> Compared:
    flaw = flaw_of(program, head)
    told = f"{flaw} ({where}){_parted(program)}"
    return Compared(where, head, [Flaw(LEDGER, told)] if flaw else ())


def _parted(program: Program) -> str:
    """Who else signs with the same key: their heads are none of this ledger, and say nothing of it."""
    if own_term(program).term == 0 and not others_of(program):
        return ""
    return (
        "; or another control plane of the same records signed it: `drorch status` names those that "
        "were seen"
    )


def told(compared: Compared) -> str:
    """In a sentence, of one by which nothing is wrong."""
    if compared.head is None:
        return f"not compared with {compared.where}: {compared.unread}"
    at = rfc3339(compared.head.at)
    return f"it holds entry {compared.head.n}, signed at {at} ({compared.where})"
