"""Use case `schedule claim`: this control plane is the one that works; others stand back."""

from collections.abc import Mapping
from dataclasses import dataclass

from drorch.app.exercised import refuse
from drorch.app.plane.lookout import Lookout
from drorch.app.plane.telling import document
from drorch.app.plane.terms import decided_at, new_instance, others_of, own_term
from drorch.app.program import Program
from drorch.app.runs import Control, Request, carry_out
from drorch.core.errors import DrorchError, ExitCode, UsageError
from drorch.core.plane import plane_password, plane_regions
from drorch.core.terming import compile_claim
from drorch.core.terms import OtherSeen, TermBegun, leader
from drorch.core.values import Value


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of it. `run` is empty where nothing had to be done; `unasked` are regions that could
    not be asked, nor told, and why.
    """

    term: TermBegun
    others: tuple[OtherSeen, ...]
    run: str = ""
    unasked: Mapping[str, str] | None = None

    @property
    def document(self) -> dict[str, Value]:
        """As `schedule claim --json` prints it."""
        unasked: Mapping[str, Value] = dict(self.unasked or {})
        return {
            **document(self.term, self.others),
            "claimed": bool(self.run),
            "run": self.run or None,
            "unasked": unasked,
        }


def claim(program: Program, reason: str, *, control: Control) -> Claimed:
    """Take charge, in a term above all that are known: a run of its own, with who and why.

    Nothing is done where this one is in charge already, and none bears its name. Raises UsageError
    without a reason, or where no region could tell others.
    """
    _check(program, reason)
    view = Lookout(program, tells=False).look()
    own, others = own_term(program), tuple(view.others if view else others_of(program))
    if own.announced and leader(own, others) is None and not _copies(own, others):
        return Claimed(own, others, unasked=view.unasked if view else None)
    run = _begin(program, _next(program, own, others, reason), reason, control)
    return Claimed(own_term(program), tuple(others_of(program)), run, _tell(program))


def _check(program: Program, reason: str) -> None:
    refuse(program, "nothing is claimed")
    if not reason.strip():
        raise UsageError("the reason is empty", "say why this one is to work: --reason TEXT")
    if plane_password(program.configuration) is None or not plane_regions(program.configuration):
        raise UsageError(
            "no region keeps drorch's records: there is nobody to take charge from",
            "see `control_plane:` in docs/configuration.md",
        )


def _copies(own: TermBegun, others: tuple[OtherSeen, ...]) -> bool:
    """Whether another bears our own name."""
    return any(one.instance == own.instance for one in others)


def _next(
    program: Program, own: TermBegun, others: tuple[OtherSeen, ...], reason: str
) -> TermBegun:
    """Above all that are known. Where another bears our own name, this one takes another."""
    alike = _copies(own, others)
    return TermBegun(
        new_instance() if alike or not own.instance else own.instance,
        max((own.term, *(one.term for one in others))) + 1,
        decided_at(program),
        program.owner.user,
        reason,
        of=own.instance,
        of_term=own.term,
        announced=True,
        renamed=alike,
    )


def _begin(program: Program, term: TermBegun, reason: str, control: Control) -> str:
    plan = compile_claim(program.configuration, term)
    view = carry_out(program, plan, Request(reason=reason), control=control)
    if view.exit_code is not ExitCode.GOOD:
        raise DrorchError(
            f"the claim was not recorded: run {view.run}", f"see: drorch run show {view.run}"
        )
    return view.run


def _tell(program: Program) -> Mapping[str, str]:
    """Tell it in every region at once, and why some could not be told; and goodbye, for this command
    is no daemon. One that lives here tells it by itself from then on.
    """
    lookout = Lookout(program, tells=True)
    view = lookout.look()
    lookout.stop()
    return {**(view.unasked if view is not None else {}), **lookout.untold}
