"""What restic commands give back, as values. Sizes are bytes, times aware UTC, ids hexadecimal."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something restic could not read: its path and why."""

    item: str
    message: str


@dataclass(frozen=True, slots=True)
class BackupDone:
    """A backup that made a snapshot.

    `snapshot_id` has 64 digits, or 8 if `short_id` (restic 0.14: find the whole one by listing).
    `snapshot_at` is the snapshot's own time, None where this version does not tell (before 0.17).
    `data_added` is what was stored, `data_unpacked` the same before compression.
    `partial`: something could not be read, `unreadable` says what (the first 1,000).
    """

    snapshot_id: str
    short_id: bool
    snapshot_at: datetime | None
    files_new: int
    files_changed: int
    files_unmodified: int
    total_files: int
    total_bytes: int
    data_added: int
    partial: bool
    unreadable: tuple[Unreadable, ...] = ()
    unreadable_count: int = 0
    data_unpacked: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as listed. `original` is the id it was copied from; counts None before 0.17."""

    id: str
    time: datetime
    tree: str
    paths: tuple[PurePosixPath, ...]
    host: str
    tags: tuple[str, ...] = ()
    parent: str | None = None
    original: str | None = None
    program_version: str | None = None
    total_files: int | None = None
    total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RestoreDone:
    """A restore that is whole: what now lies in `target`, really counted.

    `files` counts regular files (as restic's backup does), `bytes` their sizes; `entries` counts
    everything. `missing` names source paths that this snapshot does not hold.
    """

    target: Path
    files: int
    bytes: int
    entries: int
    missing: tuple[PurePosixPath, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckDone:
    """What a check found. `broken_packs` names packs (64 digits) that restic complained of."""

    clean: bool
    errors: tuple[str, ...] = ()
    broken_packs: tuple[str, ...] = ()
    suggest_repair_index: bool = False
    suggest_prune: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """One snapshot now in the other repository; ids of 8 digits, `source` None if not told."""

    source: str | None
    copy: str
    already: bool


@dataclass(frozen=True, slots=True)
class PruneDone:
    """What a prune freed and left, as restic rounds it (three digits of a unit); blobs are exact."""

    blobs_removed: int
    bytes_removed: int
    blobs_left: int
    bytes_left: int


@dataclass(frozen=True, slots=True)
class ForgetDone:
    """Snapshots forgotten; `ignored` names those that were not there (any more)."""

    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stats:
    """Size of a repository or snapshot. Files are counted in restore-size mode alone."""

    total_size: int
    snapshots: int
    total_files: int = 0
    total_blobs: int = 0
    uncompressed_size: int | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key that opens the repository; the id has 8 digits before 0.17, else 64."""

    id: str
    current: bool
    user: str
    host: str
    created: str


@dataclass(frozen=True, slots=True)
class RepositoryConfig:
    """The repository's own record of itself."""

    id: str
    version: int
    chunker_polynomial: str


@dataclass(frozen=True, slots=True)
class Lock:
    """One lock as its owner wrote it."""

    id: str
    time: datetime
    exclusive: bool
    host: str
    user: str
    pid: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, folder or other thing in a snapshot."""

    path: PurePosixPath
    kind: str
    size: int
    mtime: datetime | None
