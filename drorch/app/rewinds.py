"""Use case `rewind`: a region brought back to its last good state, or shown what that would do."""

from collections.abc import Sequence
from datetime import UTC, datetime

from drorch.actions.places import bucket_of, password_name
from drorch.actions.rewinds import findings_of, rewound
from drorch.app.backups import chosen
from drorch.app.program import Program
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError, UsageError
from drorch.core.model import Dataset, Region
from drorch.core.plan import Plan
from drorch.core.policy import compile_rewind
from drorch.core.values import Value
from drorch.storage.probe import Depth, probe


def rewound_datasets(program: Program, names: Sequence[str], region: str) -> list[Dataset]:
    """The datasets named, or all that lie in the region; UsageError if there are none."""
    where = program.region(region).name
    found = chosen(program, names, everything=not names)
    lying = [dataset for dataset in found if where in dataset.regions]
    strangers = [d.name for d in found if d not in lying] if names else []
    if strangers or not lying:
        raise UsageError(
            f"region {where} holds nothing of {', '.join(strangers) or 'any dataset'}",
            "name a region in which the dataset lies",
        )
    return lying


def plans(
    program: Program, datasets: Sequence[Dataset], region: str, to: datetime, *, read_data: bool
) -> list[Plan]:
    """The plans that rewind each dataset in the region; UsageError for a time still to come."""
    then = _past(program, to)
    return [
        compile_rewind(
            dataset.name,
            region,
            program.configuration,
            to=then,
            read_data=read_data,
            unopened=_unopened(program, dataset, region),
        )
        for dataset in datasets
    ]


def _past(program: Program, to: datetime) -> datetime:
    then = to.astimezone(UTC)
    if then > program.clock.now().at:
        raise UsageError(
            f"{rfc3339(then)} is still to come", "give the time at which all was still well"
        )
    return then


def _unopened(program: Program, dataset: Dataset, region: str) -> str:
    """Why the repository's password is not at hand; empty if it is."""
    try:
        program.secrets.get(password_name(dataset, region))
    except DrorchError as error:
        return (
            f"restic could not check the repository ({error.message}): that every object hashes "
            "to its name is all the proof there is"
        )
    return ""


def foreseen(
    program: Program, datasets: Sequence[Dataset], region: str, to: datetime
) -> list[dict[str, Value]]:
    """What a rewind would do in each dataset's repository. Nothing is changed, no run is recorded;
    of data only the listing is read.
    """
    then = _past(program, to)
    where = program.region(region)
    probe(bucket_of(program.tools, where), Depth.REACHABLE).raise_for_trouble()
    return [_foreseen(program, dataset, where, then) for dataset in datasets]


def _foreseen(
    program: Program, dataset: Dataset, region: Region, then: datetime
) -> dict[str, Value]:
    found = rewound(program.tools, dataset, region, then, dry=True)
    return {
        "dataset": dataset.name,
        "region": region.name,
        "to": rfc3339(then),
        "bring_back": found.brought_back,
        "overwritten": found.overwritten,
        "bytes": found.bytes,
        "config": found.config,
        "snapshots": list(found.snapshots),
        "hide": [{"name": name, "why": why} for name, why in found.hidden],
        "findings": [
            {"what": f.what, "subject": f.subject, "message": f.message, "hint": f.hint}
            for f in findings_of(program.tools, dataset, region, found)
            if f.what != "object.hidden"
        ],
    }
