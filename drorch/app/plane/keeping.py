"""What the daemon does for the control plane: segments every few seconds, a whole state every day."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from drorch.adapters.logs import Log
from drorch.app.plane import whole
from drorch.app.plane.copying import PATIENT, Brought, Copier, Pace
from drorch.app.plane.forgetting import thin
from drorch.app.plane.proving import prove
from drorch.app.plane.standing import folder_of, read_standing
from drorch.app.program import Program
from drorch.core.errors import DrorchError
from drorch.ports import Cancellation

#: Seconds between two looks for new rows.
EVERY = 5.0

#: Seconds between two looks whether a whole state is due; the first is left until the daemon works.
LOOK, FIRST = 60.0, 120.0

_WHOLE = Pace(within=60.0, patience=PATIENT, insist=True)


@dataclass(slots=True)
class Keeper:
    """Keeps one program's control plane copied. What changes is logged once."""

    program: Program
    log: Log
    cancel: Cancellation = field(default_factory=Cancellation)
    _copier: Copier | None = None
    _away: dict[str, str] = field(default_factory=dict)
    _trouble: str = ""

    def segments(self) -> None:
        """Bring new rows to every region."""
        if self._copier is None:
            self._copier = Copier(self.program)
        try:
            self._tell(self._copier.copy())
        except DrorchError as error:
            self._troubled(error)

    def whole(self) -> None:
        """Take a whole state, if one is due."""
        take_due(self.program, self.log, self.cancel)

    def _tell(self, brought: Sequence[Brought]) -> None:
        self._trouble = ""
        for one in brought:
            if one.result in ("away", "waits"):
                if one.region not in self._away:
                    told = f"the control plane is not copied to {one.region}: {one.message}"
                    self.log.warning("control-plane.away", told, region=one.region, hint=one.hint)
                self._away[one.region] = one.message
            elif self._away.pop(one.region, None) is not None:
                told = f"the control plane is copied to {one.region} again"
                self.log.info("control-plane.back", told, region=one.region)

    def _troubled(self, error: DrorchError) -> None:
        if self._trouble != error.message:
            self.log.error("control-plane.failing", error.message, hint=error.hint)
        self._trouble = error.message


def take_due(program: Program, log: Log, cancel: Cancellation | None = None) -> None:
    """Take a whole state, if one is due, and log what came of it; never raises."""
    try:
        brought = _taken(program, cancel)
    except DrorchError as error:
        _failed(log, error)
        return
    for one in brought:
        if one.result == "copied":
            told = f"{one.region} holds a whole state"
            log.info("control-plane.copied", told, region=one.region)
        else:
            told = f"{one.region} could not be given today's whole state: {one.message}"
            log.warning("control-plane.away", told, region=one.region, hint=one.hint)
    if brought:
        _thin(program, log, cancel)
        _prove(program, log, cancel)


def _thin(program: Program, log: Log, cancel: Cancellation | None) -> None:
    try:
        thinned = thin(Copier(program, _WHOLE), cancel)
    except DrorchError as error:
        told = f"whole states that need not stay could not be let go: {error.message}"
        log.warning("control-plane.not-thinned", told, hint=error.hint)
        return
    for sentence in thinned.sentences if thinned is not None else ():
        log.info("control-plane.thinned", sentence)


def _prove(program: Program, log: Log, cancel: Cancellation | None) -> None:
    try:
        proved = prove(Copier(program, _WHOLE), cancel)
    except DrorchError as error:
        told = f"whole states could not be looked at: {error.message}"
        log.warning("control-plane.not-proved", told, hint=error.hint)
        return
    for sentence in proved.sentences:
        log.warning("control-plane.damaged", sentence)


def _taken(program: Program, cancel: Cancellation | None) -> Sequence[Brought]:
    copier = Copier(program, _WHOLE)
    standing = read_standing(folder_of(program.configuration))
    if not copier.wanted or standing.vault is None:
        return ()
    if not whole.due(program, standing, program.clock.now().at):
        return ()
    return whole.take(copier, cancel)


def _failed(log: Log, error: DrorchError) -> None:
    log.error("control-plane.failing", error.message, hint=error.hint)
