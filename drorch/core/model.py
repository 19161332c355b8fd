"""What is protected and where: the configuration as values.

These are what config/ makes of drorch.yaml; everything else in the program reads only them.
Durations are timedelta, paths are pathlib.PurePath resolved against the configuration's folder.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from drorch.core.exercises import Participant
from drorch.core.jurisdictions import jurisdiction_within
from drorch.core.priority import USUAL, Priority
from drorch.core.settings import (
    ControlPlane,
    DaemonSettings,
    EvidencePolicy,
    Keep,
    NotifyRule,
    Reports,
)


@dataclass(frozen=True, slots=True)
class Objectives:
    """What was promised: recovery time, recovery point, longest tolerable outage."""

    rto: timedelta | None = None
    rpo: timedelta | None = None
    mtpd: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Where a secret's value comes from; exactly one of the four is set. Never the value.

    `credential` is a file in the folder that a service manager gave us (CREDENTIALS_DIRECTORY).
    """

    file: Path | None = None
    env: str | None = None
    command: tuple[str, ...] | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Where a workload runs."""

    name: str
    jurisdiction: str


class LockMode(StrEnum):
    """S3 Object Lock retention modes."""

    COMPLIANCE = "compliance"
    GOVERNANCE = "governance"


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """How long a written object must stay undeletable."""

    mode: LockMode
    keep: timedelta


@dataclass(frozen=True, slots=True)
class Transfer:
    """The papers that let data lie outside its residency."""

    assessment: str
    agreement: str


class Reach(StrEnum):
    """What may be done in a region. Of a copy that was recovered as an exercise one region is only
    read, and the others count as lost.
    """

    ALL = "all"
    READ = "read"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Region:
    """An S3 endpoint and bucket in a jurisdiction (ISO 3166-2, such as CA-QC).

    `access_key` and `secret_key` are names of secrets; both None means the AWS default
    chain, or the profile named.
    """

    name: str
    endpoint: str
    bucket: str
    jurisdiction: str
    prefix: str = ""
    location: str = "us-east-1"
    access_key: str | None = None
    secret_key: str | None = None
    profile: str | None = None
    object_lock: ObjectLock | None = None
    transfer: Transfer | None = None
    reach: Reach = Reach.ALL

    def key(self, *parts: str) -> str:
        """The object key below this region's prefix."""
        return "/".join(p for p in (self.prefix.strip("/"), *parts) if p)


class CopyMode(StrEnum):
    """How a snapshot comes into another region."""

    MIRROR = "mirror"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class CopyPolicy:
    """One further region of a dataset. `password` is the name of a secret."""

    region: str
    mode: CopyMode
    password: str


@dataclass(frozen=True, slots=True)
class Dump:
    """A command whose standard output is the data."""

    command: tuple[str, ...]
    filename: str


@dataclass(frozen=True, slots=True)
class Verify:
    """How often the copies are checked; texts are schedules or ages as written.

    `scrub_budget` is how many bytes of a region are hashed in a day, `key` after how long the
    password is to be changed.
    """

    check: str | None = None
    scrub: str | None = None
    restore_test: str | None = None
    scrub_budget: int | None = None
    key: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """When and how fast data may be sent. Rates in bytes a second, between "HH:MM-HH:MM" local."""

    limit_upload: int | None = None
    limit_download: int | None = None
    between: str | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """What makes a backup suspicious: fewer files, or a greater share changed, than this."""

    min_files: int | None = None
    max_change: float | None = None


#: The share of snapshots or objects that retention lets vanish at once, unless it is told.
BRAKE = 0.3


@dataclass(frozen=True, slots=True)
class Dataset:
    """What is protected: paths, or a dump; with its objectives and policy.

    `prune` is a schedule or an age as written; `brake` the share that may vanish at once. `folder`
    is where its repositories lie below a region's prefix, if not in `datasets/NAME`.
    """

    name: str
    password: str
    primary: str
    copies: tuple[CopyPolicy, ...] = ()
    site: str | None = None
    paths: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()
    dump: Dump | None = None
    before: tuple[tuple[str, ...], ...] = ()
    after: tuple[tuple[str, ...], ...] = ()
    schedule: str | None = None
    tier: int | None = None
    objectives: Objectives = field(default_factory=Objectives)
    residency: tuple[str, ...] = ()
    keep: Keep = field(default_factory=Keep)
    prune: str | None = None
    brake: float = BRAKE
    verify: Verify = field(default_factory=Verify)
    window: Window = field(default_factory=Window)
    guard: Guard = field(default_factory=Guard)
    priority: Priority = USUAL
    transfer: Transfer | None = None
    folder: str = ""

    @property
    def home(self) -> str:
        """The folder of its repositories, below a region's prefix."""
        return self.folder or f"datasets/{self.name}"

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region the dataset is to lie in, the primary first."""
        return (self.primary, *(c.region for c in self.copies))

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The regions that hold one and the same repository, the primary first."""
        copies = (c.region for c in self.copies if c.mode is CopyMode.MIRROR)
        return (self.primary, *copies)

    @property
    def repositories(self) -> tuple[tuple[str, ...], ...]:
        """The regions by repository: the mirrors first, then each copy alone."""
        alone = ((c.region,) for c in self.copies if c.mode is CopyMode.COPY)
        return (self.mirrors, *alone)


@dataclass(frozen=True, slots=True)
class Protected:
    """What a drill must never touch, beside every dataset's own paths."""

    paths: tuple[Path, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """What users need back: datasets, objectives, and the runbook that recovers it."""

    name: str
    tier: int | None = None
    objectives: Objectives = field(default_factory=Objectives)
    datasets: tuple[str, ...] = ()
    runbook: str | None = None


@dataclass(frozen=True, slots=True)
class DrillSchedule:
    """A runbook practised on a schedule with given inputs."""

    name: str
    runbook: str
    schedule: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole of drorch.yaml. `folder` is where the file lies: relative paths are its.

    `digest` is the SHA-256 (hex) of the file's bytes. `exercise` is the region that this copy was
    recovered from as an exercise: it only reads there, and tells nobody; None for what is real.
    """

    folder: Path
    organization: str = ""
    timezone: str = "UTC"
    language: str = "en"
    state: str = "sqlite:///drorch.db"
    runbooks: Path = Path("runbooks")
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    regions: Mapping[str, Region] = field(default_factory=dict)
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    protected: Protected = field(default_factory=Protected)
    services: Mapping[str, Service] = field(default_factory=dict)
    drills: Mapping[str, DrillSchedule] = field(default_factory=dict)
    notify: tuple[NotifyRule, ...] = ()
    control_plane: ControlPlane = field(default_factory=ControlPlane)
    evidence: EvidencePolicy = field(default_factory=EvidencePolicy)
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    reports: Reports = field(default_factory=Reports)
    file: Path | None = None
    digest: str = ""
    exercise: str | None = None

    @property
    def channels(self) -> tuple[NotifyRule, ...]:
        """All ways to people: those that alarms go, then those that reports go. An exercise has none."""
        if self.exercise is not None:
            return ()
        return (*self.notify, *self.reports.quarterly.to)

    @property
    def work(self) -> Path:
        """Where drorch keeps caches, temporary files and reports: `.drorch` beside the state."""
        return (
            self.folder / "var"
            if not self.state.startswith("sqlite:///")
            else (self.folder / self.state.removeprefix("sqlite:///")).parent
        )


_Tiered = TypeVar("_Tiered", "Service", "Dataset")


def failovers(configuration: Configuration) -> tuple[Service, ...]:
    """The services that a runbook brings back, those of the first tier first."""
    return by_tier(one for one in configuration.services.values() if one.runbook)


def by_tier(ones: Iterable[_Tiered]) -> tuple[_Tiered, ...]:
    """Services or datasets, those of the first tier first, those of none last."""
    return tuple(sorted(ones, key=lambda one: (one.tier is None, one.tier or 0)))


def evidence_regions(configuration: Configuration) -> tuple[str, ...]:
    """Where sealed evidence is kept: the regions told, or else those in which every dataset may lie.

    A bundle holds no data, but names, paths and outputs of commands, which tell of it. Of an exercise
    nothing is kept.
    """
    if configuration.exercise is not None:
        return ()
    told = configuration.evidence.regions
    datasets = configuration.datasets.values()
    return told or tuple(
        region.name
        for region in configuration.regions.values()
        if all(may_lie(region, dataset) for dataset in datasets)
    )


def may_lie(region: Region, dataset: Dataset) -> bool:
    """Whether a dataset may lie there: inside its residency, or with the papers for it."""
    papers = region.transfer or dataset.transfer
    return bool(papers) or jurisdiction_within(region.jurisdiction, dataset.residency)


def home_of(configuration: Configuration, service: str) -> str:
    """The one site of a service's datasets; empty if there is none, or more than one."""
    known = configuration.services.get(service)
    datasets = (configuration.datasets.get(name) for name in known.datasets) if known else ()
    sites = {one.site for one in datasets if one is not None and one.site}
    return next(iter(sites)) if len(sites) == 1 else ""
