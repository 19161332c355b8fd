"""restic's answers read into values: which field means what, in which version."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final

from drorch.core.units import parse_size
from drorch.restic.failure import Cause, error_text, problem
from drorch.restic.lines import Listener, Message
from drorch.restic.results import (
    BackupDone,
    CheckDone,
    Copied,
    Entry,
    ForgetDone,
    Key,
    Lock,
    PruneDone,
    RepositoryConfig,
    Snapshot,
    Stats,
    Unreadable,
)

_SKIPPED: Final = re.compile(r"^(.*) does not exist, skipping$")
_PACK: Final = re.compile(r"\b(?:pack|want) ([0-9a-f]{64})\b")
_SOURCE: Final = re.compile(r"^snapshot ([0-9a-f]+) of ")
_ALREADY: Final = re.compile(
    r"^skipping source snapshot ([0-9a-f]+), was already copied to snapshot ([0-9a-f]+)"
)
_SAVED: Final = re.compile(
    r"^snapshot ([0-9a-f]+) saved(?:, copied from source snapshot ([0-9a-f]+))?"
)
_IGNORED: Final = re.compile(r'^Ignoring "([^"]*)": ')
_NOT_REMOVED: Final = re.compile(r"^unable to remove (\S+) from the repository$")
_FREED: Final = re.compile(r"^(total prune|remaining):\s+(\d+) blobs / ([\d.]+ \w+)$")
#: Lines of `check` in text mode that say what it is doing, not what is wrong.
_CHATTER: Final = re.compile(
    r"using temporary cache|create exclusive lock|load indexes|check all packs|check snapshots"
    r"|read all data|no errors were found|Fatal: |created new cache|repository \w+ opened"
)


def instant(text: str) -> datetime:
    """A time of restic's (nanoseconds, any offset) as an aware datetime in microseconds."""
    return datetime.fromisoformat(text).astimezone(UTC)


def read_backup(summary: Message, errors: list[Message], error_count: int, code: int) -> BackupDone:
    """A backup from its summary; exit code 3 means partial."""
    started = summary.get("backup_start")
    snapshot = str(summary["snapshot_id"])
    return BackupDone(
        snapshot_id=snapshot,
        short_id=len(snapshot) < 64,
        snapshot_at=instant(started) if started else None,
        files_new=summary.get("files_new", 0),
        files_changed=summary.get("files_changed", 0),
        files_unmodified=summary.get("files_unmodified", 0),
        total_files=summary.get("total_files_processed", 0),
        total_bytes=summary.get("total_bytes_processed", 0),
        data_added=summary.get("data_added_packed", summary.get("data_added", 0)),
        partial=code == 3 or error_count > 0,
        unreadable=tuple(Unreadable(str(e.get("item", "")), error_text(e)) for e in errors),
        unreadable_count=error_count,
        data_unpacked=summary.get("data_added", 0),
    )


def read_snapshot(found: Message) -> Snapshot:
    """A snapshot from `snapshots --json` or the first line of `ls --json`."""
    summary = found.get("summary") or {}
    return Snapshot(
        id=found["id"],
        time=instant(found["time"]),
        tree=found.get("tree", ""),
        paths=tuple(PurePosixPath(p) for p in found.get("paths") or ()),
        host=found.get("hostname", ""),
        tags=tuple(found.get("tags") or ()),
        parent=found.get("parent"),
        original=found.get("original"),
        program_version=found.get("program_version"),
        total_files=summary.get("total_files_processed", 0) if summary else None,
        total_bytes=summary.get("total_bytes_processed", 0) if summary else None,
    )


def read_entry(node: Message) -> Entry:
    """One node of `ls --json`."""
    mtime = node.get("mtime")
    return Entry(
        path=PurePosixPath(node["path"]),
        kind=node.get("type", ""),
        size=node.get("size", 0),
        mtime=instant(mtime) if mtime else None,
    )


def read_backed_up(said: Listener, code: int) -> BackupDone:
    """What a backup that exited with 0 or 3 made.

    Raises ResticError `source-missing` if a path vanished after it was looked at (restic skips it
    and, before 0.19, exits with 0), `failed` if no snapshot was named.
    """
    summary = said.of_type("summary")
    if summary is None or not summary.get("snapshot_id"):
        raise problem(Cause.FAILED, "restic ended well, but named no snapshot")
    skipped = [m[1] for m in map(_SKIPPED.match, said.log) if m]
    if skipped:
        message = (
            f"{skipped[0]} vanished before it was read: snapshot {summary['snapshot_id']} lacks it"
        )
        raise problem(Cause.SOURCE_MISSING, message)
    return read_backup(summary, said.errors, said.error_count, code)


def read_check(said: Listener, code: int) -> CheckDone:
    """What a check found, in text or JSON."""
    summary = said.of_type("summary") or {}
    told = [error_text(e) for e in said.errors] or [
        line for line in said.log if not _CHATTER.match(line)
    ]
    packs = dict.fromkeys([*(summary.get("broken_packs") or ()), *_packs(told)])
    advice = "\n".join(told)
    return CheckDone(
        clean=code == 0,
        errors=() if code == 0 else tuple(told),
        broken_packs=() if code == 0 else tuple(packs),
        suggest_repair_index=bool(summary.get("suggest_repair_index")) or "repair index" in advice,
        suggest_prune=bool(summary.get("suggest_prune")) or "restic prune" in advice,
    )


def _packs(lines: Iterable[str]) -> Iterable[str]:
    return (pack for line in lines for pack in _PACK.findall(line))


def read_copied(lines: Iterable[str]) -> tuple[Copied, ...]:
    """What `copy` did. 0.19 copies in batches and names the source; before, they come in pairs."""
    copied: list[Copied] = []
    source: str | None = None
    for line in lines:
        if match := _ALREADY.match(line):
            copied.append(Copied(match[1], match[2], already=True))
        elif match := _SAVED.match(line):
            copied.append(Copied(match[2] or source, match[1], already=False))
        elif match := _SOURCE.match(line):
            source = match[1]
    return tuple(copied)


def read_forgotten(lines: Sequence[str]) -> ForgetDone:
    """What `forget` with ids did. Raises ResticError `not-removed`: 0.17 to 0.18 exit with 0."""
    stuck = [m[1] for m in map(_NOT_REMOVED.match, lines) if m]
    if stuck:
        more = f" and {len(stuck) - 1} more" if len(stuck) > 1 else ""
        raise problem(Cause.NOT_REMOVED, f"restic could not remove {stuck[0]}{more}")
    return ForgetDone(tuple(m[1] for m in map(_IGNORED.match, lines) if m))


def read_pruned(lines: Iterable[str]) -> PruneDone:
    """What `prune` says it freed and left. Raises ResticError `failed` if it does not say."""
    found = {m[1]: (int(m[2]), parse_size(m[3])) for m in map(_FREED.match, lines) if m}
    if len(found) < 2:
        raise problem(Cause.FAILED, "restic pruned without saying what it freed")
    return PruneDone(*found["total prune"], *found["remaining"])


def read_stats(found: Message) -> Stats:
    """`stats --json`; what is zero is left out."""
    return Stats(
        total_size=found.get("total_size", 0),
        snapshots=found.get("snapshots_count", 0),
        total_files=found.get("total_file_count", 0),
        total_blobs=found.get("total_blob_count", 0),
        uncompressed_size=found.get("total_uncompressed_size"),
    )


def read_keys(found: Sequence[Message]) -> tuple[Key, ...]:
    """`key list --json`."""
    return tuple(
        Key(k["id"], k["current"], k["userName"], k["hostName"], k["created"]) for k in found
    )


def read_config(found: Message) -> RepositoryConfig:
    """`cat config`."""
    return RepositoryConfig(found["id"], found["version"], found["chunker_polynomial"])


def read_lock(lock: str, found: Message) -> Lock:
    """`cat lock`."""
    return Lock(
        id=lock,
        time=instant(found["time"]),
        exclusive=found["exclusive"],
        host=found["hostname"],
        user=found["username"],
        pid=found["pid"],
    )
