"""Copies by `restic copy`: into a repository with a key of its own, from whichever mirror lives."""

from collections.abc import Sequence

from drorch.actions.gateways import through_gateway
from drorch.actions.genuine import first_contact
from drorch.actions.owing import held_snapshot, owed_copy
from drorch.actions.places import (
    address_of,
    bucket_of,
    left_by_a_failure,
    region_named,
    restic_of,
)
from drorch.actions.revoking import apply_revocations
from drorch.actions.windows import flow_of
from drorch.core.errors import ResticError, StorageError
from drorch.core.model import Dataset, Region
from drorch.core.posture import CopyFact
from drorch.core.values import Result, Value, failed, passed
from drorch.ports import Call, Cancellation, Tools
from drorch.restic.process import Attempt
from drorch.restic.repository import RepositoryAddress
from drorch.restic.results import Snapshot
from drorch.storage.probe import Depth, probe


def copy_to(call: Call, tools: Tools, dataset: Dataset, region: Region) -> Result:
    """Copy what the region does not have yet; a copy that cannot be made is owed.

    The source is read through a gateway: the two sides may have different credentials.
    """
    trouble = probe(bucket_of(tools, region), Depth.REACHABLE).error
    if trouble is not None:
        return _owed(tools, dataset, region, trouble)
    mirrors = [region_named(tools, name) for name in dataset.mirrors]
    with through_gateway(tools, dataset, mirrors, call.cancel) as passage:
        try:
            return _copied(call, tools, dataset, region, passage.address, passage.cancel)
        except (StorageError, ResticError) as error:
            if call.cancel.cancelled:
                raise
            return _owed(tools, dataset, region, passage.lost or error)


def _copied(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    region: Region,
    source: RepositoryAddress,
    cancel: Cancellation,
) -> Result:
    restic = restic_of(tools)
    attempt = Attempt(cancel, call.timeout, call.progress, dataset.priority)
    there = address_of(tools, dataset, region)
    sending = flow_of(tools, dataset).sending
    limit = sending.rate if sending is not None else None
    copied = restic.copy(source, there, limit_upload=limit, attempt=attempt)
    listed = restic.snapshots(there, attempt=attempt)
    outputs: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "copied": sum(1 for c in copied if not c.already),
        "snapshots": len(listed),
    }
    findings, removed = apply_revocations(tools, dataset, region.name)
    return passed(
        outputs,
        findings=findings,
        copies=_unknown(tools, dataset, region, listed),
        facts=(*removed, *first_contact(tools, dataset, region.name)),
    )


def _owed(
    tools: Tools, dataset: Dataset, region: Region, error: StorageError | ResticError
) -> Result:
    fact, finding = owed_copy(tools, dataset, region.name, error)
    facts = (fact,) if fact is not None else ()
    return failed(error.cause, error.message, error.hint, findings=(finding,), copies=facts)


def _unknown(
    tools: Tools, dataset: Dataset, region: Region, listed: Sequence[Snapshot]
) -> tuple[CopyFact, ...]:
    """Facts for copies that the journal does not know, but not of what a failed backup left."""
    known = tools.knowledge.copies(dataset.name)
    there = {c.snapshot for c in known if c.region == region.name and not c.owed}
    good = {c.snapshot for c in known if not c.owed}
    return tuple(
        held_snapshot(dataset.name, region.name, s)
        for s in listed
        if s.id not in there and (s.original in good or not left_by_a_failure(tools, s))
    )
