"""How the copies of the control plane stand, for `status` and `doctor`: no region is asked."""

from collections.abc import Iterator
from datetime import datetime

from drorch.app.alarm import alarm
from drorch.app.diagnosis import Check, Diagnosis, good
from drorch.app.plane import telling
from drorch.app.plane.segments import vault_folder
from drorch.app.plane.standing import Place, Standing, folder_of, read_standing
from drorch.app.plane.terms import others_of, own_term
from drorch.app.program import Program
from drorch.core.alarms import AlarmWord
from drorch.core.document import rfc3339
from drorch.core.durations import format_duration
from drorch.core.errors import JournalUntrusted
from drorch.core.model import Region
from drorch.core.plane import (
    SEGMENT_LATE,
    WHOLE_LATE,
    damaged_wholes,
    plane_password,
    plane_regions,
)
from drorch.core.terms import TermBegun, first_term
from drorch.core.values import Value
from drorch.journal.increments import lineage, recorded_after

_HINT = "once the region answers, bring it there at once: drorch replicate --control-plane"
_WHOLE_HINT = (
    "the daemon takes one every day; without it let cron call: drorch replicate --control-plane"
)


def document(program: Program, now: datetime) -> dict[str, Value] | None:
    """The part of `status --json`; None for a state that was never copied."""
    standing = _standing(program)
    if standing is None:
        return None
    regions: list[Value] = [_document(program, r, standing, now) for r in _regions(program)]
    return {"regions": regions, **telling.document(own_term(program), others_of(program))}


def alarms(program: Program, now: datetime) -> Iterator[dict[str, Value]]:
    """Another control plane, and regions whose copies are behind. A state that was never copied, nor
    tried to be, is for `doctor` to say: every command that records something tries to copy it.
    """
    yield from telling.alarms(own_term(program), others_of(program), now)
    standing = _standing(program)
    if standing is None or plane_password(program.configuration) is None:
        return
    for region in _regions(program):
        place = standing.places.get(region.name) or Place()
        owed = recorded_after(program.journal, place.until)
        if owed is not None and now - owed > SEGMENT_LATE:
            yield alarm(
                AlarmWord.CONTROL_PLANE_BEHIND,
                region.name,
                owed,
                f"{region.name} lacks what was recorded in the last {format_duration(now - owed)}"
                + (f": {_last_try(place, now)}" if place.why else ""),
                _HINT if standing.vault is not None else place.hint,
            )
        yield from _without_whole(region, place, now)
        if place.damaged:
            yield alarm(
                AlarmWord.CONTROL_PLANE_BEHIND,
                f"whole states in {region.name}",
                standing.proved_at or now,
                f"{region.name}: {damaged_wholes(place.damaged)}",
                _damaged_hint(standing),
            )


def _without_whole(region: Region, place: Place, now: datetime) -> Iterator[dict[str, Value]]:
    since = place.whole_at or place.began_at
    if since is None or now - since <= WHOLE_LATE:
        return
    message = (
        f"the newest whole state in {region.name} is {format_duration(now - since)} old"
        if place.whole_at is not None
        else f"{region.name} has no whole state, only segments since {rfc3339(since)}"
    )
    yield alarm(
        AlarmWord.CONTROL_PLANE_BEHIND, f"whole state in {region.name}", since, message, _WHOLE_HINT
    )


def _damaged_hint(standing: Standing) -> str:
    vault = standing.vault
    folder = f"{vault_folder(vault.plane, vault.name)}/repository" if vault is not None else "it"
    return (
        "once a region answers that has it whole it is brought back; if none has, delete the folder "
        f"{folder} in each region and begin another: drorch replicate --control-plane"
    )


def checks(program: Program) -> Iterator[Check]:
    """What `doctor` says of it."""
    configuration = program.configuration
    if configuration.exercise is not None:
        yield good("control-plane", "", "the copy of an exercise is copied nowhere")
        return
    if plane_password(configuration) is None or not configuration.regions:
        return
    regions = plane_regions(configuration)
    if not regions:
        yield Check(
            "control-plane",
            "",
            Diagnosis.FAIL,
            "no region may hold drorch's records: the datasets' residencies have none in common",
            "name one under `control_plane: {regions: …}`, with the papers of its transfer",
        )
        return
    if len(regions) == 1:
        yield Check(
            "control-plane",
            regions[0].name,
            Diagnosis.WARN,
            "drorch's records are copied to one region only",
            "name another under `control_plane: {regions: …}`",
        )
    standing, now = _standing(program), program.clock.now().at
    if standing is not None and standing.braked is not None:
        message, hint = standing.braked
        yield Check("control-plane", "whole states", Diagnosis.WARN, message, hint)
    for region in regions:
        place = standing.places.get(region.name) if standing is not None else None
        owed = recorded_after(program.journal, place.until) if place is not None else None
        if standing is not None and place is not None and place.damaged:
            message = damaged_wholes(place.damaged)
            yield Check(
                "control-plane", region.name, Diagnosis.WARN, message, _damaged_hint(standing)
            )
            continue
        yield _check(program, region, place, owed, now)


def _never(program: Program, place: Place | None, now: datetime) -> tuple[str, str]:
    """What is said of a region that this control plane was never copied to, and what to do. One that
    was recovered finds there the records of another.
    """
    why = f": {_last_try(place, now)}" if place is not None and place.why else ""
    own = _own_elsewhere(program)
    if own is None:
        command = "once there is a run: drorch replicate --control-plane"
        return f"drorch's records were never copied there{why}", command
    known = own.of not in ("", own.instance)
    other = f"control plane {own.of[:8]}, which" if known else "the control plane that"
    there = f"drorch's records that lie there are those of {other} this one was recovered from"
    comes = "it comes with the next command that records something, or with the daemon; at once"
    return (
        f"{there}; its own first copy is still to come{why}",
        f"{comes}: drorch replicate --control-plane",
    )


def _own_elsewhere(program: Program) -> TermBegun | None:
    """The term of one that was recovered; None of another, also of a journal that cannot be read: that
    it cannot is found by itself.
    """
    try:
        own = own_term(program)
        return None if own.instance == first_term(lineage(program.journal)).instance else own
    except JournalUntrusted:
        return None


def _check(
    program: Program, region: Region, place: Place | None, owed: datetime | None, now: datetime
) -> Check:
    if place is None or place.at is None:
        message, hint = _never(program, place, now)
        return Check("control-plane", region.name, Diagnosis.WARN, message, hint)
    if place.why and owed is not None:
        message = f"it lacks what was recorded in the last {format_duration(now - owed)}"
        message += f": {_last_try(place, now)}"
        return Check("control-plane", region.name, Diagnosis.WARN, message, _HINT)
    if place.whole_at is None:
        message = "segments only, no whole state yet"
        return Check("control-plane", region.name, Diagnosis.WARN, message, _WHOLE_HINT)
    return good("control-plane", region.name, f"copied {rfc3339(place.at)}")


def _last_try(place: Place, now: datetime) -> str:
    """Why it failed, and how long ago that was: the region may have come back since."""
    ago = f", {format_duration(now - place.tried_at)} ago" if place.tried_at else ""
    return f"at the last try{ago}: {place.why}"


def _document(
    program: Program, region: Region, standing: Standing, now: datetime
) -> dict[str, Value]:
    place = standing.places.get(region.name) or Place()
    owed = recorded_after(program.journal, place.until)
    return {
        "region": region.name,
        "jurisdiction": region.jurisdiction,
        "copied_at": rfc3339(place.at) if place.at else None,
        "behind_s": round((now - owed).total_seconds(), 3) if owed is not None else 0.0,
        "whole_at": rfc3339(place.whole_at) if place.whole_at else None,
        "why": (place.why or None) if owed is not None else None,
        "tried_at": rfc3339(place.tried_at) if place.tried_at else None,
    }


def _standing(program: Program) -> Standing | None:
    """None for a state that was never copied, nor tried to be."""
    found = read_standing(folder_of(program.configuration))
    return found if found.vault is not None or found.places else None


def _regions(program: Program) -> tuple[Region, ...]:
    return plane_regions(program.configuration)
