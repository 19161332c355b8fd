"""Plans of retention: what no rule keeps is let go, and snapshots are held."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from drorch.core.model import Configuration, Dataset
from drorch.core.names import Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.planning import check_region, plan_of, policy_of
from drorch.core.render import literal
from drorch.core.runbook import When, WhenTest
from drorch.core.values import Value


def compile_retention(
    dataset: str,
    configuration: Configuration,
    *,
    region: str | None = None,
    prune: str = "due",
    force: str = "",
) -> Plan:
    """The plan that lets go what `keep` does not keep: decided, made ready, and only then deleted.

    One repository after the other; with `region` only there. `prune` is due, yes or no; `force`
    says why the brake is not to stop it. Between two steps everything that follows is journalled.
    """
    policy = policy_of(dataset, configuration)
    if region is not None:
        check_region(policy, region)
    given: dict[str, Value] = {"force": literal(force)} if force else {}
    asked = {"dataset": dataset, "prune": prune, **given}
    steps = [PlannedStep("decide", Phase.STEPS, "retention.decide", asked, repeatable=True)]
    for number, regions in enumerate(policy.repositories, 1):
        if region in (None, *regions):
            prepare = f"prepare-{number}" if number > 1 else "prepare"
            after = tuple(s.id for s in steps if s.do != "retention.prepare")
            steps += _deletions(policy, prepare, regions, region, after, given)
    # The locks go whatever has happened, also those of a run that was killed.
    places: dict[str, Value] = {"dataset": dataset, "regions": list(policy.regions)}
    release = PlannedStep("release", Phase.CLEANUP, "retention.release", places, repeatable=True)
    title = f"Let go what {dataset} need not keep"
    plan = plan_of(RunKind.RETENTION, policy, configuration, title, (*steps, release))
    return replace(plan, parallel=max(plan.parallel, len(steps)))


def _deletions(
    policy: Dataset,
    prepare: str,
    regions: Sequence[str],
    only: str | None,
    after: tuple[str, ...],
    given: Mapping[str, Value],
) -> Iterator[PlannedStep]:
    """One repository made ready, then freed in each of its regions, side by side."""
    needed = When("{decide.needed}", WhenTest.IS, True)
    yield PlannedStep(
        prepare,
        Phase.STEPS,
        "retention.prepare",
        {
            "dataset": policy.name,
            "repository": regions[0],
            "decided": "{decide.repositories}",
            **given,
        },
        needs=after,
        repeatable=True,
        when=needed,
    )
    results = ("lock", "lists", "owed", "left", "pruned")
    for region in regions if only is None else [only]:
        yield PlannedStep(
            f"delete-{region}",
            Phase.STEPS,
            "retention.delete",
            {
                "dataset": policy.name,
                "region": region,
                **{name: f"{{{prepare}.{name}}}" for name in results},
            },
            needs=(prepare,),
            repeatable=True,
            when=needed,
        )


def compile_hold(
    dataset: str,
    snapshot: str,
    configuration: Configuration,
    *,
    by: str,
    reason: str,
    release: bool = False,
) -> Plan:
    """The plan that holds a snapshot (64 digits), or releases it. Beside anything but itself."""
    policy = policy_of(dataset, configuration)
    arguments: dict[str, Value] = {
        "dataset": dataset,
        "snapshot": snapshot,
        "by": literal(by),
        "reason": literal(reason),
        "release": release,
    }
    step = PlannedStep("hold", Phase.STEPS, "snapshot.hold", arguments, repeatable=True)
    title = f"{'Release' if release else 'Hold'} snapshot {snapshot[:8]} of {dataset}"
    subject = f"hold:{dataset}:{snapshot}"
    return plan_of(RunKind.HOLD, policy, configuration, title, (step,), subject=subject)
