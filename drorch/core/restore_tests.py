"""The plan of a restore test: a dataset's newest snapshot comes back, is held against what the
snapshot says of each file, and is removed. Pure.
"""

from pathlib import Path

from drorch.core.model import Configuration
from drorch.core.names import Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.planning import check_region, plan_of, policy_of
from drorch.core.render import literal

#: What the restore says it is for.
PURPOSE = "restore test"


def compile_restore_test(
    dataset: str, configuration: Configuration, *, to: Path, region: str
) -> Plan:
    """Restore from this region into the folder `to`, which is new or empty, and prove it whole.

    Raises UsageError for a dataset that there is not, or that does not lie in the region.
    """
    policy = policy_of(dataset, configuration)
    check_region(policy, region)
    folder = literal(str(to))
    restore = PlannedStep(
        "restore",
        Phase.STEPS,
        "restore",
        {"dataset": dataset, "region": region, "to": folder, "purpose": PURPOSE},
        repeatable=True,
    )
    whole = PlannedStep(
        "whole",
        Phase.VERIFY,
        "restore.verify",
        {
            "dataset": dataset,
            "region": "{restore.region}",
            "snapshot": "{restore.snapshot}",
            "path": folder,
        },
        repeatable=True,
    )
    remove = PlannedStep("remove-restored", Phase.CLEANUP, "files.remove", {"path": folder})
    return plan_of(
        RunKind.RESTORE_TEST,
        policy,
        configuration,
        f"Restore test of {dataset} from {region}",
        (restore, whole, remove),
        subject=f"restore-test:{dataset}",
    )
