"""A repository's key files as they lie in its regions now: looked at, brought, taken away.

All mirrors are one repository: a key is to open it in every region, and a revoked one in none.
"""

from collections.abc import Callable
from functools import cached_property

from drorch.actions.gateways import buckets_of
from drorch.actions.genuine import Keyring, read_key
from drorch.actions.places import bucket_of, region_named, repository_folder
from drorch.core.errors import StorageError
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset
from drorch.core.values import Finding
from drorch.ports import Tools
from drorch.restic.authentic import NotGenuine
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause
from drorch.storage.layout import CONFIG, Kind, Named, listed
from drorch.storage.probe import Depth, probe_all


class KeyFiles:
    """The key files of one repository, surveyed when first asked for.

    `region` is any of those that hold it; `home`, the first of them, stands for all.
    """

    def __init__(self, tools: Tools, dataset: Dataset, region: str) -> None:
        self.dataset = dataset
        self.regions = same_repository(dataset, region)
        self.keyring = Keyring(tools, dataset, region)
        self.lost: dict[str, StorageError] = {}
        self._tools = tools
        self._contents: dict[str, bytes] = {}

    @property
    def home(self) -> str:
        """The region by which the repository is spoken of."""
        return self.regions[0]

    @cached_property
    def living(self) -> dict[str, dict[str, Named]]:
        """By living region its key files, by id. Why the others do not count is in `lost`.

        Raises the first region's trouble when none lives.
        """
        regions = [region_named(self._tools, region) for region in self.regions]
        buckets, absent = buckets_of(self._tools, regions)
        self.lost.update(absent)
        found: dict[str, dict[str, Named]] = {}
        for bucket, health in zip(buckets, probe_all(buckets, Depth.REACHABLE), strict=True):
            try:
                health.raise_for_trouble()
                found[health.region] = self._keys_in(health.region, bucket)
            except StorageError as error:
                self.lost[health.region] = error
        if not found:
            raise next(iter(self.lost.values()))
        return found

    def holders(self, key: str) -> list[str]:
        """The living regions that show the key."""
        return [region for region, keys in self.living.items() if key in keys]

    def every(self) -> dict[str, Named]:
        """All key files that any living region shows."""
        return {key: named for keys in self.living.values() for key, named in keys.items()}

    def content(self, key: str) -> bytes:
        """A key file, from the first region that has it whole; NotGenuine if none has."""
        if key not in self._contents:
            self._contents[key] = self._whole(key)
        return self._contents[key]

    def openers(self, secret: str = "") -> list[str]:
        """The keys, revoked ones apart, that the repository's password (or another) opens."""
        found = sorted(self.every().keys() - self.keyring.revoked)
        return [key for key in found if self.opens(key, secret)]

    def opens(self, key: str, secret: str = "") -> bool:
        """Whether the repository's password (or that of another secret) opens this key."""
        named = self.every().get(key)
        try:
            if named is None:
                return False
            return self.keyring.open(named, self.content(key), secret) == self.keyring.master
        except NotGenuine:
            return False

    def bring(self, key: str) -> list[str]:
        """Bring a key to every living region that lacks it; returns those that have it now."""
        content = self.content(key)
        named = self.every()[key]
        for region, keys in self.living.items():
            if key in keys or not self._tried(region, lambda b: b.put(self._path(key), content)):
                continue
            keys[key] = named
        return self.holders(key)

    def remove(self, key: str) -> list[str]:
        """Delete a key in every living region; returns those that have it no more."""
        gone = []
        for region, keys in self.living.items():
            if key not in keys or self._tried(region, lambda b: b.delete(self._path(key))):
                keys.pop(key, None)
                gone.append(region)
        return gone

    def look_again(self) -> None:
        """Something has changed since the survey."""
        self.__dict__.pop("living", None)

    def owed(self, what: str) -> tuple[Finding, ...]:
        """A finding for each region that could not be reached."""
        return tuple(
            Finding(
                "key.owed",
                f"{self.dataset.name} in {region}",
                f"{what}: {error.message}",
                "it is done when the region is back, by the next backup or now with: "
                f"drorch replicate --dataset {self.dataset.name}",
            )
            for region, error in self.lost.items()
        )

    def _tried(self, region: str, work: Callable[[Bucket], None]) -> bool:
        try:
            work(bucket_of(self._tools, region_named(self._tools, region)))
        except StorageError as error:
            self.lost[region] = error
            return False
        return True

    def _keys_in(self, region: str, bucket: Bucket) -> dict[str, Named]:
        folder = repository_folder(self.dataset)
        found = {named.id: named for named in listed(bucket, folder, Kind.KEYS)}
        if not found and bucket.head(f"{folder}/{CONFIG}") is None:
            raise StorageError(
                f"region {region} has no repository of {self.dataset.name}",
                "run `drorch repo init`; if there was one, its config is gone",
                Cause.NO_REPOSITORY,
            )
        return found

    def _whole(self, key: str) -> bytes:
        for region in self.holders(key):
            bucket = bucket_of(self._tools, region_named(self._tools, region))
            named = self.living[region][key]
            content = read_key(bucket, repository_folder(self.dataset), named)
            if content is not None and named.is_of(content):
                return content
        raise NotGenuine(f"no region has key {key[:8]} whole")

    def _path(self, key: str) -> str:
        return f"{repository_folder(self.dataset)}/{Kind.KEYS}/{key}"
