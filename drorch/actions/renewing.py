"""The action that encrypts a dataset anew: into the repository of another, under another master key.

Nothing of the old repository is moved, changed or deleted: it is another dataset, and stays one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from drorch.actions.arguments import Arguments, make_action
from drorch.actions.gateways import Passage, through_gateway
from drorch.actions.genuine import Keyring, first_contact
from drorch.actions.owing import held_snapshot
from drorch.actions.places import (
    bucket_of,
    dataset_named,
    left_by_a_failure,
    region_named,
    repository_folder,
    restic_of,
)
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import StorageError
from drorch.core.facts import Fact, Forgotten, Held
from drorch.core.model import Dataset, Region
from drorch.core.posture import CopyFact
from drorch.core.values import Finding, Result, Value, failed, passed
from drorch.ports import Call, Tools
from drorch.restic.authentic import NotGenuine
from drorch.restic.process import Attempt
from drorch.restic.results import Snapshot
from drorch.storage.layout import CONFIG


def _renew(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    old = dataset_named(tools, arguments.text("dataset"))
    new = dataset_named(tools, arguments.text("into"))
    if wrong := _unfit(tools, old, new):
        return failed("unfit", *wrong)
    with (
        through_gateway(tools, old, _regions(tools, old), call.cancel) as source,
        through_gateway(tools, new, _regions(tools, new), source.cancel) as there,
    ):
        return _renewed(call, tools, old, new, source, there)


def _regions(tools: Tools, dataset: Dataset) -> list[Region]:
    return [region_named(tools, name) for name in dataset.mirrors]


def _unfit(tools: Tools, old: Dataset, new: Dataset) -> tuple[str, str] | None:
    """Why the one cannot take the other's place: message and hint."""
    if tools.secrets.get(old.password) == tools.secrets.get(new.password):
        return (
            f"{old.name} and {new.name} have the same password",
            "give the new one a password that was never used",
        )
    before, after = Keyring(tools, old, old.primary), Keyring(tools, new, new.primary)
    if before.master == after.master:
        return (
            f"{new.name} is encrypted under the master key of {old.name}",
            "start with a dataset that has no repository yet",
        )
    if _cuts(tools, old, before) != _cuts(tools, new, after):
        message = (
            f"the repository of {new.name} cuts data in other places than that of {old.name}: "
            "the next backup would store everything a second time"
        )
        return message, "let this command make it: name a dataset that has no repository yet"
    return None


def _cuts(tools: Tools, dataset: Dataset, keyring: Keyring) -> str:
    """The polynomial by which restic cuts data into blobs; it stands in the repository's config."""
    failure: StorageError | None = None
    for name in dataset.mirrors:
        bucket = bucket_of(tools, region_named(tools, name))
        try:
            config = bucket.get(f"{repository_folder(dataset)}/{CONFIG}")
            return str(keyring.master.document(config)["chunker_polynomial"])
        except StorageError as error:
            failure = error
        except NotGenuine:
            continue
    raise failure or StorageError(
        f"no region has the true config of {dataset.name}", "run `drorch heal`", "damaged"
    )


def _renewed(
    call: Call, tools: Tools, old: Dataset, new: Dataset, source: Passage, there: Passage
) -> Result:
    restic = restic_of(tools)
    attempt = Attempt(there.cancel, call.timeout, call.progress, new.priority)
    wanted = list(_wanted(tools, old, restic.snapshots(source.address, attempt=attempt)))
    copied = (
        restic.copy(
            source.address, there.address, snapshots=[s.id for s in wanted], attempt=attempt
        )
        if wanted
        else ()
    )
    listed = restic.snapshots(there.address, attempt=attempt)
    counterparts = {s.original: s for s in listed if s.original is not None}
    missing = [s.id for s in wanted if not _same(s, counterparts.get(s.original or s.id))]
    checked = restic.check(there.address, read_data=True, attempt=attempt)
    outputs: dict[str, Value] = {
        "dataset": old.name,
        "into": new.name,
        "copied": sum(1 for c in copied if not c.already),
        "snapshots": len(wanted),
    }
    if missing or not checked.clean:
        what = f"{len(missing)} snapshot(s) did not arrive" if missing else checked.errors[0]
        return failed(
            "not-whole",
            f"the new repository is not whole: {what}",
            f"run it again; {old.name} is as it was",
            outputs=outputs,
        )
    pairs = {s.id: counterparts[s.original or s.id] for s in wanted}
    return passed(
        outputs,
        findings=(_next_steps(old, new), *_owed(new, there)),
        copies=tuple(_held_copies(tools, new, there, list(pairs.values()))),
        facts=(*_holds(tools, old, new, pairs), *first_contact(tools, new, new.primary)),
    )


def _wanted(tools: Tools, old: Dataset, listed: Sequence[Snapshot]) -> Iterator[Snapshot]:
    """What is to be carried over: nothing forgotten, nothing that a failed backup left."""
    gone = {k.fact.snapshot for k in tools.knowledge.facts(Forgotten, old.name)}
    good = {c.snapshot for c in tools.knowledge.copies(old.name) if not c.owed}
    for snapshot in listed:
        if snapshot.id in gone:
            continue
        if snapshot.id in good or not left_by_a_failure(tools, snapshot):
            yield snapshot


def _same(here: Snapshot, there: Snapshot | None) -> bool:
    return there is not None and (here.tree, here.time) == (there.tree, there.time)


def _held_copies(
    tools: Tools, new: Dataset, there: Passage, snapshots: Iterable[Snapshot]
) -> Iterator[CopyFact]:
    """Facts for what the journal does not know to lie in the new repository's regions."""
    known = {(c.region, c.snapshot) for c in tools.knowledge.copies(new.name) if not c.owed}
    for replica in there.holders:
        for s in snapshots:
            if (replica.region, s.id) not in known:
                yield held_snapshot(new.name, replica.region, s)


def _owed(new: Dataset, there: Passage) -> Iterator[Finding]:
    """The mirrors that took no part."""
    holders = {replica.region for replica in there.holders}
    for region in new.mirrors:
        if region not in holders:
            trouble = there.troubles.get(region)
            yield Finding(
                "copy.owed",
                f"{new.name} in {region}",
                f"the copy could not be made: {trouble.message if trouble else 'it is behind'}",
                f"bring it there with: drorch replicate --dataset {new.name}",
            )


def _holds(
    tools: Tools, old: Dataset, new: Dataset, pairs: Mapping[str, Snapshot]
) -> Iterator[Fact]:
    """Who holds a snapshot holds its counterpart, too."""
    held = {k.fact.snapshot for k in tools.knowledge.facts(Held, new.name)}
    for known in tools.knowledge.facts(Held, old.name):
        counterpart = pairs.get(known.fact.snapshot)
        if counterpart is None or known.fact.released or counterpart.id in held:
            continue
        yield Held(new.name, counterpart.id, known.fact.reason, known.fact.by)


def _next_steps(old: Dataset, new: Dataset) -> Finding:
    return Finding(
        "repository.renewed",
        new.name,
        f"everything of {old.name} is in {new.name}, too, under another master key; {old.name} is "
        "as it was, and who has its key can read it still",
        f"let services, runbooks and schedules name {new.name}; run this again for what came "
        f"meanwhile; then take {old.name} out of drorch.yaml, and delete its repository in every "
        "region once nothing of it is needed any more",
    )


REPOSITORY_RENEW = make_action(
    ActionSpec(
        "repository.renew",
        "Encrypt a dataset anew: copy all of it into the repository of another dataset.",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("into", Kind.DATASET, doc="the dataset that takes its place"),
        ),
        ("dataset", "into", "copied", "snapshots"),
        repeatable=True,
    ),
    _renew,
)
