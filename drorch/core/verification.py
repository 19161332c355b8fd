"""What a plan rests on, so that it shows when something of it has changed since it was proven. Pure."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from drorch.core.codec import canonical, encode
from drorch.core.model import Configuration

#: How a target is named: what it is, and its name.
RUNBOOK, DATASET, REGION = "runbook", "dataset", "region"


class Reason(StrEnum):
    """Why a runbook has to be proven anew."""

    NEVER_PASSED = "no drill of it has ever passed"
    LAST_FAILED = "its last drill failed"
    LAST_ABORTED = "its last drill aborted"
    CHANGED = "{subject} has changed"
    GONE = "{subject} is there no more"
    OVERDUE = "its drill is overdue"
    NOT_READY = "it could not begin: {subject}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that speaks against relying on a runbook. `subject` is a target, or what is wrong."""

    reason: Reason
    subject: str = ""

    @property
    def said(self) -> str:
        """In words."""
        return self.reason.value.format(subject=self.subject)


def targets_of(
    configuration: Configuration,
    runbooks: Mapping[str, str],
    datasets: Iterable[str],
    regions: Iterable[str],
) -> dict[str, str]:
    """A digest (hex SHA-256) of each thing the plan rests on, by `kind name`.

    `runbooks` are the digests of the texts by name; of a dataset also its regions count.
    """
    wanted = list(dict.fromkeys(datasets))
    known = [configuration.datasets[d] for d in wanted if d in configuration.datasets]
    places = dict.fromkeys([*regions, *(r for d in known for r in d.regions)])
    return {
        **{f"{RUNBOOK} {name}": digest for name, digest in runbooks.items()},
        **{f"{DATASET} {one.name}": _digest(one) for one in known},
        **{
            f"{REGION} {name}": _digest(configuration.regions[name])
            for name in places
            if name in configuration.regions
        },
    }


def changes(
    then: Mapping[str, str], configuration: Configuration, runbooks: Mapping[str, str]
) -> Iterator[Doubt]:
    """What has changed or is gone of the targets of an earlier plan.

    `runbooks` are the digests of the texts as they lie there now.
    """
    for target, digest in then.items():
        kind, _, name = target.partition(" ")
        now = _now(kind, name, configuration, runbooks)
        if now is None:
            yield Doubt(Reason.GONE, target)
        elif now != digest:
            yield Doubt(Reason.CHANGED, target)


def _now(
    kind: str, name: str, configuration: Configuration, runbooks: Mapping[str, str]
) -> str | None:
    if kind == RUNBOOK:
        return runbooks.get(name)
    there = configuration.datasets if kind == DATASET else configuration.regions
    one = there.get(name)
    return _digest(one) if one is not None else None


def _digest(value: object) -> str:
    return hashlib.sha256(canonical(encode(value))).hexdigest()
