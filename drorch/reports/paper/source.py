"""What the paper version is made from: the compiled runbook, and all that the configuration knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from drorch.core.byhand import ByHand
from drorch.core.model import Configuration
from drorch.core.plan import Plan
from drorch.core.runbook import Runbook
from drorch.core.verification import Doubt


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the runbook is proven: its last drill that passed, and what speaks against it.

    `known` is false where the journal could not be read.
    """

    known: bool = True
    passed_run: str = ""
    passed_at: datetime | None = None
    due_at: datetime | None = None
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One runbook to be printed.

    `plan` is the one for real, inputs that are not given left open. `hands` are its steps by
    hand, `not_drilled` those that a drill leaves out, `drill_refused` why there can be none with
    these inputs. `summaries` say what an action does that comes from elsewhere.
    """

    plan: Plan
    runbook: Runbook
    configuration: Configuration
    standing: Standing
    printed: datetime
    version: str
    hands: Mapping[str, ByHand] = field(default_factory=dict)
    not_drilled: frozenset[str] = frozenset()
    drill_refused: tuple[str, ...] = ()
    summaries: Mapping[str, str] = field(default_factory=dict)
    homeward: bool = False
