"""What the recovery kit knows besides the configuration, and whether the newest one is still true."""

from collections.abc import Iterator

from drorch.app.diagnosis import Check, Diagnosis, good
from drorch.app.keyring import trusted_keys
from drorch.app.plane.standing import folder_of, read_standing
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.errors import ConfigurationError, JournalUntrusted
from drorch.core.facts import KeyKnown, KeyRevoked
from drorch.core.kit import PLANE, Known, Plane, changed_since, said_of
from drorch.core.kit_made import KitMade
from drorch.core.plane import plane_regions


def known_now(program: Program) -> Known:
    """What is known besides the configuration; a journal that cannot be read tells nothing."""
    vault = read_standing(folder_of(program.configuration)).vault
    try:
        public = tuple(key.id for key in trusted_keys(program))
    except ConfigurationError:
        public = ()
    try:
        keys = dict(_keys(program))
    except JournalUntrusted:
        keys = {}
    return Known(Plane(vault.plane, vault.name) if vault else None, keys, public)


def _keys(program: Program) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Those of each repository that open it still, by the region that the journal has them under."""
    for name in program.configuration.datasets:
        gone = {known.fact.key for known in program.journal.facts(KeyRevoked, name)}
        by_region: dict[str, list[str]] = {}
        for known in program.journal.facts(KeyKnown, name):
            if known.fact.key not in gone:
                by_region.setdefault(known.fact.region, []).append(known.fact.key)
        for region, keys in sorted(by_region.items()):
            yield (name, region), tuple(sorted(keys))


def without_whole(program: Program) -> tuple[str, ...]:
    """The regions of drorch's own records in which no whole state is known to lie: what the kit says
    of restic alone works there once there is one. Empty where nothing is sealed yet, so that the kit
    has no such lines.
    """
    standing = read_standing(folder_of(program.configuration))
    if standing.vault is None:
        return ()
    wanted = [region.name for region in plane_regions(program.configuration)]
    return tuple(n for n in wanted if n not in standing.places or not standing.places[n].whole_at)


def last_made(program: Program) -> KitMade | None:
    """What was put on record of the newest kit."""
    known = program.journal.facts(KitMade, "")
    return known[0].fact if known else None


def kit_checks(program: Program) -> Iterator[Check]:
    """What `doctor` says of it; nothing in the copy of an exercise, which makes none."""
    if not program.configuration.datasets or program.configuration.exercise is not None:
        return
    try:
        made = last_made(program)
    except JournalUntrusted:
        return  # which is said of the journal
    if made is None:
        yield Check(
            "kit",
            "",
            Diagnosis.WARN,
            "no recovery kit was ever made: without this machine nobody knows the way back",
            "drorch kit --output kit.pdf; print it, and put it into the safe",
        )
        return
    known = known_now(program)
    changed = changed_since(made, said_of(program.configuration, known))
    if known.plane is None:  # as on a machine that was just recovered: nothing is known of it yet
        changed = [part for part in changed if part != PLANE]
    if changed:
        yield Check(
            "kit",
            "",
            Diagnosis.WARN,
            f"what the recovery kit of {made.at:%Y-%m-%d} says has changed: {', '.join(changed)}",
            "print it anew, and destroy the old one: drorch kit --output kit.pdf",
        )
        return
    yield good("kit", "", f"made {rfc3339(made.at)}")
