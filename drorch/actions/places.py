"""Where a dataset's repository lies: the way from configured names to buckets and addresses."""

from pathlib import Path

from drorch.core.errors import UsageError
from drorch.core.model import Dataset, Region
from drorch.core.nearest import did_you_mean
from drorch.ports import Tools
from drorch.restic.client import Restic
from drorch.restic.repository import RepositoryAddress, repository_url
from drorch.restic.results import Snapshot
from drorch.storage.bucket import Bucket, open_bucket
from drorch.storage.client import credentials_of

#: A snapshot's tag that names the run that made it.
RUN_TAG = "run="


def dataset_named(tools: Tools, name: str) -> Dataset:
    """The dataset; UsageError with a near name."""
    datasets = tools.configuration.datasets
    if name not in datasets:
        raise UsageError(f"there is no dataset {name!r}", did_you_mean(name, datasets, "datasets"))
    return datasets[name]


def region_named(tools: Tools, name: str) -> Region:
    """The region; UsageError with a near name."""
    regions = tools.configuration.regions
    if name not in regions:
        raise UsageError(f"there is no region {name!r}", did_you_mean(name, regions, "regions"))
    return regions[name]


def repository_folder(dataset: Dataset) -> str:
    """The repository's folder below a region's prefix."""
    return dataset.home


def address_of(tools: Tools, dataset: Dataset, region: Region) -> RepositoryAddress:
    """The dataset's repository in the region, with what opens it."""
    credentials = credentials_of(region, tools.secrets)
    return RepositoryAddress(
        url=repository_url(region, repository_folder(dataset)),
        password=tools.secrets.get(password_name(dataset, region.name)),
        access_key=credentials.access_key,
        secret_key=credentials.secret_key,
        profile=region.profile,
        location=region.location,
    )


def password_name(dataset: Dataset, region: str) -> str:
    """The name of the secret that opens the dataset's repository in the region."""
    own = (c.password for c in dataset.copies if c.region == region)
    return next(own, dataset.password)


def bucket_of(tools: Tools, region: Region) -> Bucket:
    """The region's bucket."""
    return open_bucket(region, tools.secrets)


def restic_of(tools: Tools) -> Restic:
    """restic, with the cache of this configuration."""
    return Restic(
        tools.commands,
        tools.environment,
        binary=tools.restic_binary,
        cache=cache_folder(tools),
        only_reads=tools.configuration.exercise is not None,
    )


def cache_folder(tools: Tools) -> Path:
    """What can be thrown away at any time."""
    return tools.configuration.work / ".cache"


def left_by_a_failure(tools: Tools, snapshot: Snapshot) -> bool:
    """Whether a snapshot that the journal does not hold for good was made by a run it knows.

    A failed or killed backup left it behind: it may be incomplete.
    """
    runs = [tag.removeprefix(RUN_TAG) for tag in snapshot.tags if tag.startswith(RUN_TAG)]
    return any(tools.knowledge.recorded(run) for run in runs)
