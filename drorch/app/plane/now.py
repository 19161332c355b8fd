"""Use case `replicate --control-plane`: copy drorch's records now, and wait."""

from collections.abc import Callable
from dataclasses import dataclass

from drorch.app.exercised import refuse
from drorch.app.plane import whole
from drorch.app.plane.copying import PATIENT, Brought, Copier, Pace
from drorch.app.plane.forgetting import thin
from drorch.app.plane.proving import prove
from drorch.app.plane.standing import Place, read_standing
from drorch.app.program import Program
from drorch.core.errors import DrorchError, UsageError
from drorch.core.plane import plane_password, plane_regions
from drorch.core.values import Value
from drorch.journal.increments import last_number

#: So many events behind, a region is given a whole state before it is given segments.
_FAR = 20_000

_WAITING = Pace(within=3600.0, going_on=3000.0, patience=PATIENT, insist=True)


@dataclass(frozen=True, slots=True)
class Copied:
    """What one region has now: of new rows (`copied`, `current` or `away`), and of a whole state."""

    region: str
    segments: str
    whole: str
    message: str = ""
    hint: str = ""

    @property
    def good(self) -> bool:
        """Whether the region has everything."""
        return self.segments != "away" and self.whole == "copied"

    @property
    def document(self) -> dict[str, Value]:
        """As `replicate --control-plane --json` prints it."""
        return {
            "region": self.region,
            "segments": self.segments,
            "whole": self.whole,
            "message": self.message,
            "hint": self.hint,
        }


def copy_now(
    program: Program, say: Callable[[str], None] = lambda _: None, *, force: str = ""
) -> list[Copied]:
    """New rows and a whole state, into every region; empty where nothing was ever run. What is to be
    said of older whole states that went is said at once; `force` is why the brake is not to stop that.

    Raises UsageError where no password or no region is meant, or in the copy of an exercise.
    """
    refuse(program, "no control plane is copied")
    configuration = program.configuration
    if plane_password(configuration) is None:
        raise UsageError(
            "no password seals the control plane",
            "name a secret: control_plane: {password: NAME}",
        )
    if not plane_regions(configuration):
        raise UsageError(
            "no region may hold the control plane",
            "name one that every dataset's residency allows, or papers: docs/configuration.md",
        )
    copier = Copier(program, _WAITING)
    # Of a long history segments would be many and large: they go on from a whole state then.
    first = _whole(copier) if _far_behind(copier) else {}
    rows = copier.copy()
    if not rows:
        return []
    wholes = first or _whole(copier)
    _thin(copier, say, force)
    _prove(copier, say)
    nowhere = wholes.get("")
    return [_copied(one, nowhere or wholes[one.region]) for one in rows]


def _far_behind(copier: Copier) -> bool:
    """Whether a region lacks very much, for it is new, say."""
    places = read_standing(copier.folder).places
    regions = plane_regions(copier.program.configuration)
    until = [(places.get(region.name) or Place()).until.n for region in regions]
    return last_number(copier.program.journal) - min(until) > _FAR


def _whole(copier: Copier) -> dict[str, Brought]:
    """What came of a whole state by region; under no name why it could not be taken at all."""
    try:
        return {one.region: one for one in whole.take(copier)}
    except DrorchError as error:
        return {"": Brought("", "away", error.message, error.hint)}


def _thin(copier: Copier, say: Callable[[str], None], force: str) -> None:
    try:
        thinned = thin(copier, force=force)
    except DrorchError as error:  # the copies are good all the same
        say(f"whole states that need not stay could not be let go: {error.message}")
        say(f"hint: {error.hint}")
        return
    if force and (thinned is None or not thinned.forgotten):
        away = "a region is away, or another control plane may live"
        say(f"no whole state went: {away if thinned is None else 'every one has to stay'}")
    for sentence in thinned.sentences if thinned is not None else ():
        say(sentence)


def _prove(copier: Copier, say: Callable[[str], None]) -> None:
    try:
        for sentence in prove(copier).sentences:
            say(sentence)
    except DrorchError as error:
        say(f"whole states could not be looked at: {error.message}")


def _copied(rows: Brought, state: Brought) -> Copied:
    wrong = next((one for one in (rows, state) if one.message), None)
    message, hint = (wrong.message, wrong.hint) if wrong else ("", "")
    return Copied(rows.region, rows.result, state.result, message, hint)
