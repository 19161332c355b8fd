"""A runbook with each thing that can stand on paper, ready to be printed at a fixed moment."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from drorch.actions.byhand import by_hand
from drorch.actions.table import TABLE
from drorch.config.load import load_configuration
from drorch.config.runbooks import Runbooks
from drorch.core.names import Mode
from drorch.core.plan import Plan
from drorch.core.render import preview
from drorch.core.verification import Doubt, Reason
from drorch.reports.paper.source import Source, Standing

FOLDER = Path(__file__).parents[1] / "unit" / "reports" / "papers"
PRINTED = datetime(2026, 11, 26, 8, 5, tzinfo=UTC)
PASSED = datetime(2026, 8, 23, 3, 0, tzinfo=UTC)
STALE = Standing(
    passed_run="2026-08-23T03-00-00Z-move-ehr-7f3a",
    passed_at=PASSED,
    due_at=datetime(2026, 10, 1, 8, 0, tzinfo=UTC),
    doubts=(Doubt(Reason.CHANGED, "dataset ehr-db"), Doubt(Reason.OVERDUE)),
)


def source(
    inputs: Mapping[str, str] | None = None,
    *,
    name: str = "move-ehr",
    folder: Path = FOLDER,
    standing: Standing = STALE,
    homeward: bool = False,
) -> Source:
    """What is printed of a runbook of the folder."""
    configuration = load_configuration(folder / "drorch.yaml")
    shelf = Runbooks(folder)

    def compiled(mode: Mode) -> Plan:
        return shelf.compile(
            name,
            configuration,
            lambda do: action.spec if (action := TABLE.find(do)) else None,
            mode,
            inputs or {},
            homeward=homeward,
            inputs_later=True,
        )

    plan = compiled(Mode.LIVE)
    configuration = replace(configuration, folder=Path("/etc/drorch"))
    known = {key: value for key, value in plan.inputs.items() if value}
    hands = {
        step.id: by_hand(
            step.do,
            {key: preview(value, known) for key, value in step.arguments.items()},
            configuration,
            step.id,
        )
        for step in plan.steps
    }
    return Source(
        plan=plan,
        runbook=shelf.get(name).sound(),
        configuration=configuration,
        standing=standing,
        printed=PRINTED,
        version="0.1.0",
        hands=hands,
        not_drilled=frozenset(s.id for s in compiled(Mode.DRILL).steps if s.skip),
        homeward=homeward,
    )
