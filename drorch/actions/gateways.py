"""The way from a dataset to all of its mirrors at once, through one endpoint for restic."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from drorch.actions.places import bucket_of, password_name, repository_folder
from drorch.actions.windows import flow_of
from drorch.core.errors import ConfigurationError, StorageError
from drorch.core.facts import Forgotten, KeyRevoked, Quarantined
from drorch.core.model import Dataset, Region
from drorch.ports import Cancellation, Tools
from drorch.restic.repository import RepositoryAddress, gateway_address
from drorch.storage.bucket import Bucket
from drorch.storage.crew import Stop
from drorch.storage.gateway import Deletions, Gateway
from drorch.storage.replicas import Replica, Replicas


@dataclass(frozen=True, slots=True)
class Passage:
    """An open gateway: what restic is told, and how the regions stand.

    `cancel` is the work's own: it is cancelled with the outer one, or when no region is left.
    """

    gateway: Gateway
    address: RepositoryAddress
    cancel: Cancellation

    @property
    def lost(self) -> StorageError | None:
        """Why there is no region left that could be used; None while there is."""
        replicas = self.gateway.surveyed()
        if any(replicas.readers()):
            return None
        return next(iter(replicas.troubles.values()), None)

    @property
    def troubles(self) -> dict[str, StorageError]:
        """By region, why it takes no part."""
        return self.gateway.surveyed().troubles

    @property
    def holders(self) -> list[Replica]:
        """The regions that have everything that was written."""
        return list(self.gateway.surveyed().readers())


@contextmanager
def through_gateway(
    tools: Tools,
    dataset: Dataset,
    regions: Sequence[Region],
    cancel: Cancellation,
    *,
    deletions: Deletions = Deletions.IGNORE,
    own_locks: Collection[str] = (),
    hidden: Collection[str] = (),
) -> Iterator[Passage]:
    """Open a gateway to the dataset's repository in these regions, the preferred one first.

    A region whose credentials cannot be had takes no part; StorageError (`secret`) if none can.
    `own_locks` are held already on restic's behalf; `hidden` are further ids it must not see.
    """
    from drorch.storage.rest import serving  # an HTTP server, which not every action needs

    own, stop = Cancellation(), Stop()
    forget = cancel.on_cancel(lambda: own.cancel(cancel.reason or "cancelled"))
    unregister = own.on_cancel(stop)
    buckets, absent = buckets_of(tools, regions)
    if not buckets:
        raise next(iter(absent.values()))
    replicas = Replicas(
        buckets,
        repository_folder(dataset),
        absent=absent,
        gone=hidden_of(tools, dataset) | frozenset(hidden),
        lost=lambda trouble: own.cancel(trouble.message),
    )
    try:
        flow = flow_of(tools, dataset)
        gateway = Gateway(replicas, deletions=deletions, own_locks=own_locks, flow=flow, stop=stop)
        with serving(gateway) as url:
            yield Passage(
                gateway,
                gateway_address(url, tools.secrets.get(password_name(dataset, regions[0].name))),
                own,
            )
    finally:
        unregister()
        forget()


def buckets_of(
    tools: Tools, regions: Sequence[Region]
) -> tuple[list[Bucket], dict[str, StorageError]]:
    """The buckets whose credentials can be had, and by region why others cannot be opened."""
    buckets: list[Bucket] = []
    absent: dict[str, StorageError] = {}
    for region in regions:
        try:
            buckets.append(bucket_of(tools, region))
        except ConfigurationError as error:
            absent[region.name] = StorageError(error.message, error.hint, "secret", region.name)
    return buckets, absent


def hidden_of(tools: Tools, dataset: Dataset) -> frozenset[str]:
    """Ids that restic must not see: what is gone, and what is known not to be ours."""
    return gone_of(tools, dataset) | strange_of(tools, dataset)


def strange_of(tools: Tools, dataset: Dataset) -> frozenset[str]:
    """Ids of what is known not to be ours."""
    found = tools.knowledge.facts(Quarantined, dataset.name)
    return frozenset(k.fact.name.rpartition("/")[2] for k in found if not k.fact.gone)


def gone_of(tools: Tools, dataset: Dataset) -> frozenset[str]:
    """Ids of snapshots and keys that are no more, whatever a region still shows."""
    forgotten = tools.knowledge.facts(Forgotten, dataset.name)
    revoked = tools.knowledge.facts(KeyRevoked, dataset.name)
    return frozenset([k.fact.snapshot for k in forgotten] + [k.fact.key for k in revoked])
