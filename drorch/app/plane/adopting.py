"""Backups that were made after the last copy of the control plane: found in the regions, and taken
into the journal as facts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from drorch.adapters.secrets import ConfiguredSecrets
from drorch.app.program import Program
from drorch.app.runs import SUPERSEDED, Control, Request, carry_out, take_in_name
from drorch.core.recovery import compile_adopt
from drorch.core.terms import TermBegun
from drorch.core.values import Value


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was learned of a dataset: how many snapshots, when the newest was made (as text, empty
    without one), and the regions that could not be asked.
    """

    dataset: str
    snapshots: int
    newest_at: str
    unasked: tuple[str, ...]


class LentSecrets(ConfiguredSecrets):
    """The configuration's secrets, but for those whose values were given by hand."""

    def lent(self, values: Mapping[str, str]) -> "LentSecrets":
        """With these values, by the names of secrets."""
        self._values = dict(values)
        for value in values.values():
            self.hide(value)
        return self

    def get(self, name: str, *, anew: bool = False) -> str:
        """See ports.Secrets.get."""
        given = self._values.get(name)
        return given if given is not None else super().get(name, anew=anew)


def adopt(program: Program, term: TermBegun) -> tuple[Adopted, ...]:
    """Look into every region that can be asked, and record what is found as a run, and whose records
    these are from now on. Runs that were under way at the loss, and whose work the next of their kind
    does again, hold none up: their processes are not seen from here, nor ever said to be gone.
    """
    unfinished = program.journal.rows(unfinished=True)
    plan = compile_adopt(program.configuration, [row.run for row in unfinished], term)
    view = carry_out(program, plan, Request("recover"), control=Control())
    if program.configuration.exercise is None:
        for row in unfinished:
            if row.kind in SUPERSEDED:
                take_in_name(program, row)
    return tuple(
        _adopted(outputs)
        for step in _steps(view.document)
        if isinstance(outputs := step.get("outputs"), Mapping) and "dataset" in outputs
    )


def _steps(document: Mapping[str, Value]) -> list[Mapping[str, Value]]:
    steps = document.get("steps")
    return [s for s in steps if isinstance(s, Mapping)] if isinstance(steps, list) else []


def _adopted(outputs: Mapping[str, Value]) -> Adopted:
    count, unasked = outputs.get("adopted"), outputs.get("unasked")
    return Adopted(
        str(outputs["dataset"]),
        count if isinstance(count, int) else 0,
        str(outputs.get("newest_at") or ""),
        tuple(map(str, unasked)) if isinstance(unasked, list) else (),
    )
