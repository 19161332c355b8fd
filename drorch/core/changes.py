"""What differs between two plans of one runbook: pure, from what the journal holds of both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from drorch.core.names import OnFailure, Phase
from drorch.core.plan import Plan, PlannedStep


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """Steps and inputs by name. `text`: the runbook's own text is another."""

    text: bool = False
    objectives: bool = False
    steps_added: tuple[str, ...] = ()
    steps_removed: tuple[str, ...] = ()
    steps_changed: tuple[str, ...] = ()
    inputs_changed: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether anything is another."""
        return self != PlanChanges()


def plan_changes(before: Plan, after: Plan) -> PlanChanges:
    """What `after` has otherwise. What only the way it was started made so is no change: a drill
    skips what is for real, a failover has a fence, and `--ask-on-failure` asks.
    """
    same_mode = before.mode is after.mode
    old = {s.id: _plain(s) for s in before.steps if same_mode or s.phase is not Phase.FENCE}
    new = {s.id: _plain(s) for s in after.steps if same_mode or s.phase is not Phase.FENCE}
    return PlanChanges(
        text=before.runbook_digest != after.runbook_digest,
        objectives=before.objectives != after.objectives,
        steps_added=tuple(name for name in new if name not in old),
        steps_removed=tuple(name for name in old if name not in new),
        steps_changed=tuple(n for n, step in new.items() if n in old and old[n] != step),
        inputs_changed=_differing(before.inputs, after.inputs),
    )


def _plain(step: PlannedStep) -> PlannedStep:
    asks = step.on_failure is OnFailure.ASK
    return replace(step, skip="", on_failure=OnFailure.STOP if asks else step.on_failure)


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in {**old, **new} if old.get(name) != new.get(name))
