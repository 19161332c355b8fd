"""The plan that brings a recovered journal up to what the regions hold. Pure."""

from collections.abc import Sequence

from drorch.core.model import Configuration
from drorch.core.names import Mode, OnFailure, Phase, RunKind
from drorch.core.plan import Plan, PlannedStep
from drorch.core.terming import begin_step
from drorch.core.terms import TermBegun


def compile_adopt(configuration: Configuration, unfinished: Sequence[str], term: TermBegun) -> Plan:
    """Record whose records these are from now on, and learn of every dataset what its regions hold
    that the journal does not know; `unfinished` are the runs that the journal saw begin and not end.
    """
    steps = tuple(
        PlannedStep(
            f"adopt-{name}",
            Phase.STEPS,
            "copies.adopt",
            {"dataset": name, "unfinished": list(unfinished)},
            repeatable=True,
            on_failure=OnFailure.CONTINUE,
        )
        for name in configuration.datasets
    )
    return Plan(
        kind=RunKind.RECOVER,
        name="recover",
        mode=Mode.LIVE,
        subject="recover",
        steps=(begin_step(term), *steps),
        parallel=4,
        title="Learn what the regions hold",
        organization=configuration.organization,
        timezone=configuration.timezone,
        datasets=tuple(configuration.datasets),
        configuration_digest=configuration.digest,
    )
