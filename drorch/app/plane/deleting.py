"""Whether anything may be deleted: not while another control plane may need what would go."""

from drorch.app.plane.lookout import Lookout
from drorch.app.plane.telling import CLAIM, named
from drorch.app.plane.terms import others_of, own_term
from drorch.app.program import Program
from drorch.core.durations import format_duration
from drorch.core.errors import AlreadyRunning, ConfigurationError
from drorch.core.terms import ALIVE_FOR, Fate, leader


def refuse_deleting(program: Program) -> None:
    """Look into the regions; AlreadyRunning if another is in charge, or lives beside this one.

    Without the password nobody's presence can be read: then what is on record decides, for a rewind
    after an attack must not wait for the safe to be opened.
    """
    try:
        view = Lookout(program, tells=False).look()
    except ConfigurationError:
        view = None
    others = view.others if view is not None else others_of(program)
    first = leader(own_term(program), others)
    if first is not None:
        raise AlreadyRunning(
            f"{named(first)} is in charge: nothing is deleted here",
            f"delete there; if this one is to work: {CLAIM}",
        )
    living = next((one for one in others if one.fate is Fate.ALIVE), None)
    if living is not None:
        raise AlreadyRunning(
            f"{named(living)} lives and may count on what would be deleted",
            f"stop its daemon on {living.host}; one that was killed counts as gone "
            f"{format_duration(ALIVE_FOR)} after it was last heard of",
        )
