"""What every plan that is compiled from a dataset's policy has in common."""

from collections.abc import Sequence

from drorch.core.errors import UsageError
from drorch.core.exercises import EVIDENCE
from drorch.core.model import Configuration, Dataset, Objectives
from drorch.core.names import Mode, RunKind
from drorch.core.nearest import did_you_mean
from drorch.core.plan import Plan, PlannedStep


def plan_of(
    kind: RunKind,
    policy: Dataset,
    configuration: Configuration,
    title: str,
    steps: tuple[PlannedStep, ...],
    *,
    subject: str = "",
) -> Plan:
    """The plan of one kind of work on a dataset; nothing else of its subject runs beside it."""
    return Plan(
        kind=kind,
        name=policy.name,
        mode=Mode.LIVE,
        subject=subject or f"dataset:{policy.name}",
        steps=steps,
        objectives=policy.objectives if kind is RunKind.BACKUP else Objectives(),
        title=title,
        service=_service_of(policy.name, configuration),
        organization=configuration.organization,
        timezone=configuration.timezone,
        datasets=(policy.name,),
        configuration_digest=configuration.digest,
        sources=sources_of((policy.name,), configuration) if kind in EVIDENCE else {},
    )


def sources_of(datasets: Sequence[str], configuration: Configuration) -> dict[str, tuple[str, ...]]:
    """Where each of the datasets lies in production: its paths, none if it is dumped."""
    known = configuration.datasets
    return {
        name: tuple(str(path) for path in known[name].paths) for name in datasets if name in known
    }


def _service_of(dataset: str, configuration: Configuration) -> str:
    """The service that rests on the dataset, if it is one alone."""
    found = [one.name for one in configuration.services.values() if dataset in one.datasets]
    return found[0] if len(found) == 1 else ""


def policy_of(name: str, configuration: Configuration) -> Dataset:
    """The dataset's policy; UsageError with a near name."""
    if name in configuration.datasets:
        return configuration.datasets[name]
    hint = did_you_mean(name, configuration.datasets, "datasets are")
    raise UsageError(f"there is no dataset {name!r}", hint)


def check_region(policy: Dataset, region: str) -> None:
    """UsageError if the dataset does not lie there."""
    if region not in policy.regions:
        hint = did_you_mean(region, policy.regions, "it lies in")
        raise UsageError(f"dataset {policy.name!r} has no copy in {region!r}", hint)
