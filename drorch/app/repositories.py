"""Use cases around restic repositories: make them, look at them, free them of dead locks."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from drorch.actions.gateways import through_gateway
from drorch.actions.places import address_of, bucket_of, repository_folder, restic_of
from drorch.app.program import Program
from drorch.core.errors import DrorchError
from drorch.core.mirrors import is_mirror
from drorch.core.model import CopyMode, Dataset, Region
from drorch.core.values import Value
from drorch.ports import Cancellation
from drorch.storage.bucket import Bucket
from drorch.storage.layout import CONFIG, Kind, listed
from drorch.storage.mirror import mirror
from drorch.storage.probe import Depth, probe_all


@dataclass(frozen=True, slots=True)
class Made:
    """What `initialise` did for one dataset in one region: `made`, `there`, or `failed`."""

    dataset: str
    region: str
    result: str
    message: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether the repository is there now."""
        return self.result != "failed"


def initialise(
    program: Program,
    datasets: Sequence[Dataset],
    *,
    create_bucket: bool = False,
    like: Dataset | None = None,
) -> list[Made]:
    """Make every repository that is not there yet; harmless again.

    The buckets must exist, unless `create_bucket`. Mirrors get the primary's own keys and config;
    copies get a repository of their own that cuts data in the same places. New primary ones cut
    it as that of the dataset they are to be `like`.
    """
    troubles = _troubles(program, datasets, create_bucket=create_bucket)
    with ThreadPoolExecutor(4) as pool:
        lists = pool.map(lambda d: list(_initialise_one(program, d, troubles, like)), datasets)
        return [made for found in lists for made in found]


def _troubles(
    program: Program, datasets: Sequence[Dataset], *, create_bucket: bool
) -> Mapping[str, DrorchError]:
    """By region, why it cannot be used."""
    names = list(dict.fromkeys(r for d in datasets for r in d.regions))
    buckets = [bucket_of(program.tools, program.region(n)) for n in names]
    found = _create_missing(buckets) if create_bucket else {}
    healths = probe_all(buckets, Depth.FULL)
    for name, health in zip(names, healths, strict=True):
        if health.trouble is not None:
            found.setdefault(name, DrorchError(health.trouble.message, health.trouble.hint))
    return found


def _create_missing(buckets: Sequence[Bucket]) -> dict[str, DrorchError]:
    """By region, why its bucket could not be made."""
    healths = probe_all(buckets, Depth.REACHABLE)
    found: dict[str, DrorchError] = {}
    for bucket, health in zip(buckets, healths, strict=True):
        if health.trouble is not None and health.trouble.cause == "no-bucket":
            try:
                bucket.create()
            except DrorchError as error:
                found[bucket.region.name] = error
    return found


def _initialise_one(
    program: Program,
    dataset: Dataset,
    troubles: Mapping[str, DrorchError],
    like: Dataset | None,
) -> Iterator[Made]:
    make_primary = partial(_make_like, like) if like is not None else _make_primary
    primary = _made(program, dataset, dataset.primary, troubles, make_primary)
    yield primary
    for copy in dataset.copies:
        if primary.ok:
            make = _make_mirror if copy.mode is CopyMode.MIRROR else _make_copy
            yield _made(program, dataset, copy.region, troubles, make)
        else:
            message = f"it is made from region {dataset.primary}, which failed"
            hint = "mend that region first, then run `drorch repo init` again"
            yield Made(dataset.name, copy.region, "failed", message, hint)


def _made(
    program: Program,
    dataset: Dataset,
    region: str,
    troubles: Mapping[str, DrorchError],
    make: Callable[[Program, Dataset, Region], None],
) -> Made:
    if region in troubles:
        return Made(dataset.name, region, "failed", troubles[region].message, troubles[region].hint)
    where = program.region(region)
    try:
        if bucket_of(program.tools, where).head(f"{repository_folder(dataset)}/{CONFIG}"):
            if region != dataset.primary and is_mirror(dataset, region):
                _refuse_another(program, dataset, where)
            return Made(dataset.name, region, "there")
        _refuse_remains(program, dataset, where)
        make(program, dataset, where)
    except DrorchError as error:
        return Made(dataset.name, region, "failed", error.message, error.hint)
    return Made(dataset.name, region, "made")


def _refuse_another(program: Program, dataset: Dataset, region: Region) -> None:
    """A mirror that is not the primary's repository would stay owed for ever."""
    config = f"{repository_folder(dataset)}/{CONFIG}"
    primary = program.region(dataset.primary)
    if bucket_of(program.tools, region).get(config) != bucket_of(program.tools, primary).get(
        config
    ):
        raise DrorchError(
            f"regions {primary.name} and {region.name} hold different repositories of "
            f"{dataset.name}",
            "give the region another prefix or bucket, or `copy` instead of `mirror`",
        )


def _refuse_remains(program: Program, dataset: Dataset, region: Region) -> None:
    """Without its config a repository is not gone: a new one there would be the end of it."""
    folder = repository_folder(dataset)
    bucket = bucket_of(program.tools, region)
    for kind in (Kind.KEYS, Kind.SNAPSHOTS):
        if any(listed(bucket, folder, kind)):
            raise DrorchError(
                f"region {region.name} holds {kind} of a repository of {dataset.name}, "
                "but no config",
                "its config may have been deleted: bring it back from the bucket's versions or "
                f"from a mirror; only if nothing there is needed, remove {folder}/ and init again",
            )


def _make_primary(program: Program, dataset: Dataset, region: Region) -> None:
    address = address_of(program.tools, dataset, region)
    restic_of(program.tools).init(address, bucket_exists=True)


def _make_mirror(program: Program, dataset: Dataset, region: Region) -> None:
    primary = bucket_of(program.tools, program.region(dataset.primary))
    mirror(primary, bucket_of(program.tools, region), repository_folder(dataset))


def _make_copy(program: Program, dataset: Dataset, region: Region) -> None:
    _make_like(dataset, program, dataset, region)


def _make_like(like: Dataset, program: Program, dataset: Dataset, region: Region) -> None:
    mirrors = [program.region(name) for name in like.mirrors]
    address = address_of(program.tools, dataset, region)
    with through_gateway(program.tools, like, mirrors, Cancellation()) as passage:
        restic = restic_of(program.tools)
        restic.init(address, bucket_exists=True, chunker_from=passage.address)


def standing(program: Program, datasets: Sequence[Dataset]) -> list[dict[str, Value]]:
    """How each repository stands in its region: there, its objects and bytes, its snapshots."""
    _ = program.tools  # made once, before threads ask for them side by side
    pairs = [(d, program.region(r)) for d in datasets for r in d.regions]
    with ThreadPoolExecutor(max(1, min(8, len(pairs)))) as pool:
        return list(pool.map(lambda pair: _standing_of(program, *pair), pairs))


def _standing_of(program: Program, dataset: Dataset, region: Region) -> dict[str, Value]:
    found: dict[str, Value] = {
        "dataset": dataset.name,
        "region": region.name,
        "mode": "primary" if region.name == dataset.primary else _mode(dataset, region),
        "result": "there",
        "snapshots": None,
        "objects": None,
        "bytes": None,
        "locks": None,
    }
    bucket = bucket_of(program.tools, region)
    folder = repository_folder(dataset)
    health = probe_all([bucket], Depth.REACHABLE)[0]
    if health.trouble is not None:
        return found | _failed(health.trouble.message, health.trouble.hint)
    try:
        if bucket.head(f"{folder}/{CONFIG}") is None:
            return found | {"result": "missing", "hint": "make it with: drorch repo init"}
        return found | _counted(bucket, folder)
    except DrorchError as error:
        return found | _failed(error.message, error.hint)


def _failed(message: str, hint: str) -> dict[str, Value]:
    return {"result": "failed", "message": message, "hint": hint}


def _counted(bucket: Bucket, folder: str) -> dict[str, Value]:
    """One listing of the repository, counted by kind."""
    kinds: Counter[str] = Counter()
    size = 0
    for entry in bucket.list_objects(f"{folder}/"):
        kinds[entry.name.removeprefix(f"{folder}/").split("/", 1)[0]] += 1
        size += entry.size
    return {
        "snapshots": kinds["snapshots"],
        "objects": sum(kinds.values()),
        "bytes": size,
        "locks": kinds["locks"],
    }


def _mode(dataset: Dataset, region: Region) -> str:
    return "mirror" if is_mirror(dataset, region.name) else "copy"
