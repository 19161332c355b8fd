"""What `doctor` and `status` say of sealing: whether evidence is sealed, checkable, and where it is to be.

sealed/trouble.json   why nothing can be sealed, and since when
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby

from drorch.adapters.evidence import write_durably
from drorch.app.alarm import alarm
from drorch.app.diagnosis import Check, Diagnosis, good
from drorch.app.keyring import sealing_key, together, trusted_keys
from drorch.app.outbox import owed, putting_down, sealed_folder
from drorch.app.program import Program
from drorch.core.alarms import AlarmWord
from drorch.core.codec import NotDecodable, canonical, parse
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError
from drorch.core.model import evidence_regions
from drorch.core.values import Value

_TROUBLE = "trouble.json"


def evidence_checks(program: Program) -> Iterator[Check]:
    """Raises DrorchError where a key cannot be read; that is a finding, too."""
    trusted = trusted_keys(program)
    key = sealing_key(program)
    if key is None:
        message = "nothing is sealed: nobody could prove that records of drills were not changed"
        hint = "make a key, and name it: evidence: {key: NAME, public_key: FILE} (docs/evidence.md)"
        yield Check("evidence", "seal", Diagnosis.WARN, message, hint)
        return
    named = f"seals as {key.public.id[:16]}"
    if not together(key, trusted):
        message = (
            "public_key is not the public half of key: what is sealed here, nobody could check"
        )
        hint = "write it anew: openssl pkey -in KEY -pubout, and list it in evidence.public_key"
        yield Check("evidence", "seal", Diagnosis.FAIL, message, hint)
    else:
        yield good("evidence", "seal", named)
    regions = evidence_regions(program.configuration)
    if not regions:
        outside = bool(program.configuration.regions)
        why = "each is outside a dataset's residency" if outside else "none is configured"
        message = f"sealed evidence is kept in no region: {why}"
        hint = (
            "name regions in evidence.regions, with the papers (`transfer`) where they are needed"
        )
        yield Check("evidence.regions", "seal", Diagnosis.WARN, message, hint)


def note_trouble(program: Program, error: DrorchError) -> None:
    """Put down why nothing can be sealed; as long as it is the same, since when is kept."""
    told: dict[str, Value] = {"message": error.message, "hint": error.hint}
    known = _trouble(program)
    if known is not None and told.items() <= known.items():
        return
    since = {"since": rfc3339(program.clock.now().at)}
    try:
        with putting_down(program):
            write_durably(sealed_folder(program) / _TROUBLE, canonical({**told, **since}))
    except (DrorchError, OSError):
        return  # whoever asked for it is told in any case


def all_well(program: Program) -> None:
    """Everything could be sealed."""
    (sealed_folder(program) / _TROUBLE).unlink(missing_ok=True)


def _trouble(program: Program) -> Mapping[str, Value] | None:
    try:
        found = parse((sealed_folder(program) / _TROUBLE).read_bytes())
    except (OSError, NotDecodable):
        return None
    return found if isinstance(found, Mapping) else None


def alarms(program: Program) -> Iterator[dict[str, Value]]:
    """What is wrong with sealing: nothing can be sealed, or regions have not got what is."""
    found = _trouble(program)
    if found is not None:
        yield alarm(
            AlarmWord.EVIDENCE_UNSEALED,
            "evidence",
            datetime.fromisoformat(str(found.get("since"))),
            f"what ran since is not sealed: {found.get('message')}",
            str(found.get("hint")),
        )
    for region, debts in groupby(owed(program), key=lambda one: one.region):
        waiting = list(debts)
        yield alarm(
            AlarmWord.EVIDENCE_OWED,
            region,
            min(one.since for one in waiting),
            f"{len(waiting)} sealed record(s) are not in region {region} yet",
            "the daemon brings them when it answers; by hand: drorch journal seal",
        )
