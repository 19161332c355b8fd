"""The action that looks whether a repository could be restored from."""

from collections.abc import Sequence

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.choosing import shown_in
from drorch.actions.places import address_of, dataset_named, region_named, restic_of
from drorch.actions.proofs import proofs_of
from drorch.actions.regions import Watched
from drorch.actions.unhindered import unhindered
from drorch.actions.windows import flow_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import ResticError
from drorch.core.facts import Proven
from drorch.core.model import Dataset, Region
from drorch.core.posture import CopyFact, CopyFactKind, KnownCopy
from drorch.core.scrubbing import with_damage
from drorch.core.values import Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.process import Attempt


def _check(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region", dataset.primary))
    read_data = arguments.boolean("read_data", default=False)
    return unhindered(
        tools,
        dataset,
        [region.name],
        lambda: _checked(call, tools, dataset, region, read_data=read_data),
    )


def _checked(
    call: Call, tools: Tools, dataset: Dataset, region: Region, *, read_data: bool
) -> Result:
    # Before restic reads: what is added meanwhile is not proven.
    known = [c for c in tools.knowledge.copies(dataset.name) if c.region == region.name]
    receiving = flow_of(tools, dataset).receiving
    with Watched(tools, region, call.cancel) as watched:
        try:
            done = restic_of(tools).check(
                address_of(tools, dataset, region),
                read_data=read_data,
                limit_download=receiving.rate if receiving is not None else None,
                attempt=Attempt(watched.cancel, call.timeout, call.progress, dataset.priority),
            )
        except ResticError:
            trouble = watched.trouble()
            if trouble is None:
                raise
            return failed(trouble.cause, trouble.message, trouble.hint)
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "errors": list(done.errors[:20]),
    }
    if not done.clean:
        return failed(
            "damaged",
            f"the repository of {dataset.name} in {region.name} is damaged: "
            f"{done.errors[0] if done.errors else 'restic gives no details'}",
            f"mend it from the other regions: drorch heal --dataset {dataset.name}"
            + ("" if read_data else " --read-data"),
            outputs=outputs,
            facts=_broken(tools, dataset, region, done.broken_packs),
        )
    return passed(outputs, copies=_verified(tools, dataset, region, known) if read_data else ())


def _broken(
    tools: Tools, dataset: Dataset, region: Region, packs: Sequence[str]
) -> tuple[Proven, ...]:
    """What restic found damaged or missing stands until it is healed."""
    proofs = {p.part: p for p in proofs_of(tools.knowledge, dataset, region.name)}
    for pack in packs:
        part = f"data/{pack[:2]}"
        proofs[part] = with_damage(
            proofs.get(part), part, [f"{part}/{pack}"], dataset=dataset.name, region=region.name
        )
    return tuple(proofs[part] for part in sorted({f"data/{pack[:2]}" for pack in packs}))


def _verified(
    tools: Tools, dataset: Dataset, region: Region, known: Sequence[KnownCopy]
) -> tuple[CopyFact, ...]:
    """Every byte was read: of what the journal knew, what is really there is proven."""
    there = shown_in(tools, dataset, region)
    return tuple(
        CopyFact(CopyFactKind.VERIFIED, dataset.name, region.name, c.snapshot, c.snapshot_at)
        for c in known
        if not c.owed and c.snapshot in there
    )


REPOSITORY_CHECK = make_action(
    ActionSpec(
        "repository.check",
        "The repository in a region is whole; with read_data, every byte of it.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("region", Kind.REGION, required=False, doc="default: the primary"),
            Parameter("read_data", Kind.BOOLEAN, required=False, doc="read every byte"),
        ),
        ("dataset", "region", "errors"),
        check=True,
        repeatable=True,
    ),
    _check,
)
