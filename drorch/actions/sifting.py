"""What lies in regions and is not ours: found when restic stumbles over it, so that it goes on.

restic reads every index and key of the region it works in. One planted object there would keep
it from working at all, also for all other regions.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from drorch.actions.gateways import buckets_of
from drorch.actions.genuine import Genuineness, judge_of, quarantine
from drorch.actions.places import region_named, repository_folder
from drorch.core.errors import ConfigurationError, ResticError, StorageError
from drorch.core.facts import Quarantined
from drorch.core.model import Dataset
from drorch.core.values import Finding
from drorch.ports import Tools
from drorch.restic.failure import Cause
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause as Fault
from drorch.storage.genuine import JUDGED, too_large
from drorch.storage.layout import CONFIG, Named, listed
from drorch.storage.probe import Depth, probe_all

#: What restic says when it stumbles: it cannot tell a planted object from a damaged one, nor
#: planted keys from a wrong password.
STUMBLED = frozenset({Cause.DAMAGED.value, Cause.WRONG_PASSWORD.value})

_HANDS = 8


@dataclass(frozen=True, slots=True)
class Sifted:
    """By region what is not ours there: why, by name below the repository (`config` among them)."""

    strange: Mapping[str, Mapping[str, str]]
    judge: Genuineness

    @property
    def ids(self) -> frozenset[str]:
        """The ids that restic must not see."""
        names = (name for found in self.strange.values() for name in found)
        return frozenset(name.rpartition("/")[2] for name in names) - {CONFIG}

    @property
    def unusable(self) -> frozenset[str]:
        """The regions whose config is not the repository's."""
        return frozenset(region for region, found in self.strange.items() if CONFIG in found)

    def told(
        self, tools: Tools, dataset: Dataset
    ) -> tuple[tuple[Finding, ...], tuple[Quarantined, ...]]:
        """Findings and facts about all of it."""
        told = [quarantine(tools, dataset, r, s, self.judge) for r, s in self.strange.items()]
        findings = tuple(finding for found, _ in told for finding in found)
        return findings, tuple(fact for _, facts in told for fact in facts)


def sift(tools: Tools, dataset: Dataset, regions: Sequence[str], error: ResticError) -> Sifted:
    """Judge everything in those of the regions that answer; they hold one repository.

    Raises `error`, over which restic stumbled, unless something there explains it.
    """
    if error.cause not in STUMBLED:
        raise error
    judge = judge_of(tools, dataset, *regions)
    buckets, _ = buckets_of(tools, [region_named(tools, region) for region in regions])
    healths = probe_all(buckets, Depth.REACHABLE)
    living = [b for b, h in zip(buckets, healths, strict=True) if h.error is None]
    try:
        found = {b.region.name: _strange_in(b, repository_folder(dataset), judge) for b in living}
    except (StorageError, ResticError, ConfigurationError):
        raise error from None
    strange = {region: names for region, names in found.items() if names}
    if not strange:
        raise error
    return Sifted(strange, judge)


def _strange_in(bucket: Bucket, folder: str, judge: Genuineness) -> dict[str, str]:
    names = [named for kind in sorted(JUDGED) for named in listed(bucket, folder, kind)]
    with ThreadPoolExecutor(_HANDS) as pool:
        verdicts = pool.map(lambda named: _verdict(bucket, folder, named, judge), names)
        found = {named.name: why for named, why in zip(names, verdicts, strict=True) if why}
    config = _get(bucket, f"{folder}/{CONFIG}")
    why = judge.config(config) if config is not None else ""
    return found | ({CONFIG: why} if why else {})


def _verdict(bucket: Bucket, folder: str, named: Named, judge: Genuineness) -> str:
    """Why it is not ours. What is damaged is no stranger: another region has it whole."""
    if why := too_large(named):
        return why
    content = _get(bucket, f"{folder}/{named.name}")
    return judge(named, content) if content is not None and named.is_of(content) else ""


def _get(bucket: Bucket, path: str) -> bytes | None:
    try:
        return bucket.get(path)
    except StorageError as error:
        if error.cause == Fault.NO_OBJECT:
            return None
        raise
