"""restic's commands as typed, blocking methods. Each start costs about 1.4 s of key derivation.

Every method raises ResticError (causes in failure.py) when restic did not do what was asked.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from drorch.ports import Commands
from drorch.restic.failure import Cause, problem
from drorch.restic.landing import Needed, common_root, landing
from drorch.restic.process import Attempt, DumpCommand, Processes
from drorch.restic.reading import (
    read_backed_up,
    read_check,
    read_config,
    read_copied,
    read_entry,
    read_forgotten,
    read_keys,
    read_lock,
    read_pruned,
    read_snapshot,
    read_stats,
)
from drorch.restic.repository import RepositoryAddress
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
    RestoreDone,
    Snapshot,
    Stats,
)
from drorch.restic.sources import check_sources
from drorch.restic.version import Capabilities
from drorch.restic.watching import watched

_ONCE = Attempt()
_UNKNOWN = Needed()


class Restic:
    """The restic program at hand.

    `environment` is the caller's own: little of it reaches restic. `cache` is a folder for
    restic's cache and the memory of versions (None: restic's default, no memory).
    `wait_for_lock` is how long a command waits for a locked repository where restic can (0.16).
    With `only_reads` no lock is taken, and what would write is refused.
    """

    def __init__(
        self,
        commands: Commands,
        environment: Mapping[str, str],
        *,
        binary: str = "restic",
        cache: Path | None = None,
        wait_for_lock: timedelta = timedelta(),
        only_reads: bool = False,
    ) -> None:
        self._processes = Processes(
            commands,
            environment,
            binary=binary,
            cache=cache,
            wait_for_lock=wait_for_lock,
            only_reads=only_reads,
        )

    def capabilities(self, attempt: Attempt = _ONCE) -> Capabilities:
        """The version and what it can do; raises ResticError if there is no usable restic."""
        return self._processes.capabilities(attempt)

    def init(
        self,
        address: RepositoryAddress,
        *,
        bucket_exists: bool = False,
        chunker_from: RepositoryAddress | None = None,
        attempt: Attempt = _ONCE,
    ) -> str:
        """Make the repository; returns its id. `chunker_from` makes copies from there small.

        restic creates a missing bucket, perhaps in the wrong country: for an address in S3 the
        caller must have seen the bucket (`bucket_exists`), else cause `no-bucket`. A repository
        that is there already: cause `exists`.
        """
        if address.is_s3 and not bucket_exists:
            message = f"nobody has made sure that the bucket of {address.url} exists"
            raise problem(Cause.NO_BUCKET, message)
        argv = ["init", "--json", "--repository-version", "2"]
        if chunker_from is not None:
            argv.append("--copy-chunker-params")
        heard = self._processes.run(argv, address, attempt, source=chunker_from, locks=False)
        made = heard.said.of_type("initialized")
        return str(made["id"]) if made else self.config(address, attempt=attempt).id

    def backup(
        self,
        address: RepositoryAddress,
        *,
        host: str,
        paths: Sequence[Path] = (),
        dump: DumpCommand | None = None,
        exclude: Sequence[str] = (),
        tags: Sequence[str] = (),
        attempt: Attempt = _ONCE,
    ) -> BackupDone:
        """Back up absolute paths, or what a dump command prints; one restic start.

        A missing path fails before anything runs (`source-missing`), a failing dump leaves no
        snapshot (`dump-failed`).
        """
        check_sources(paths)
        argv = ["backup", "--json", "--host", host]
        argv += [f"--exclude={pattern}" for pattern in exclude]
        argv += [f"--tag={tag}" for tag in tags]
        if attempt.progress is None and self.capabilities(attempt).no_scan:
            argv.append("--no-scan")
        if dump is None:
            argv += ["--", *map(str, paths)]
        else:
            argv += ["--stdin", "--stdin-filename", dump.filename]
        heard = self._processes.run(argv, address, attempt, dump=dump, good=(0, 3))
        return read_backed_up(heard.said, heard.code)

    def snapshots(
        self,
        address: RepositoryAddress,
        *,
        tags: Sequence[str] = (),
        locks: bool = True,
        attempt: Attempt = _ONCE,
    ) -> tuple[Snapshot, ...]:
        """Every snapshot (with all of the tags), oldest first."""
        argv = ["snapshots", "--json"]
        if tags:
            argv.append(f"--tag={','.join(tags)}")
        found = self._document(argv, address, attempt, locks=locks) or []
        return tuple(sorted(map(read_snapshot, found), key=lambda s: s.time))

    def restore(
        self,
        address: RepositoryAddress,
        snapshot: str,
        paths: Sequence[PurePosixPath],
        target: Path,
        *,
        needed: Needed = _UNKNOWN,
        include: Sequence[PurePosixPath] = (),
        verify: bool = False,
        cached: bool = False,
        locks: bool = True,
        confirm: Callable[[], None] = lambda: None,
        attempt: Attempt = _ONCE,
    ) -> RestoreDone:
        """Restore a snapshot into `target`, wholly or not at all.

        `paths` are the snapshot's source paths (of a dump, `/filename`); their longest common
        folder is stripped. `include` are paths to restore alone, absolute or below that folder.
        The target must be empty or not there. Causes: `target-not-empty`, `target-busy`,
        `target-unusable`, `disk-full` (`needed` is checked first), `damaged`, `not-found`.
        Nothing comes from the local cache unless `cached`. `confirm` is called before anything
        shows in the target, which stays as it was if it raises.
        """
        root = common_root(paths)
        wanted = [root / path for path in include]
        argv = ["restore", "--json"]
        argv += [f"--include={_literally(path)}" for path in wanted]
        if verify:
            argv.append("--verify")
        with landing(target, needed) as place:
            argv += ["--target", str(place.tree), snapshot]
            with self._seen(place.tree, needed, attempt):
                self._processes.run(argv, address, attempt, cached=cached, locks=locks)
            confirm()
            return place.settle(paths, wanted)

    def _seen(self, tree: Path, needed: Needed, attempt: Attempt) -> AbstractContextManager[None]:
        """Progress of a restore where restic itself tells none."""
        if attempt.progress is None or self.capabilities(attempt).json_restore:
            return nullcontext()
        return watched(tree, attempt.progress, files=needed.files, size=needed.bytes)

    def check(
        self,
        address: RepositoryAddress,
        *,
        read_data: bool = False,
        read_data_subset: str | None = None,
        limit_download: float | None = None,
        locks: bool = True,
        attempt: Attempt = _ONCE,
    ) -> CheckDone:
        """Check the structure, and with `read_data` every byte (or a subset: `1/12`, `5%`).

        Damage is a result, not an error. With a progress sink restic is run in text mode, as
        its JSON tells no progress (restic#21955); both are understood. `limit_download` is bytes a
        second, for as long as it takes.
        """
        argv = ["check"]
        if limit_download is not None:
            argv.append(f"--limit-download={_kib(limit_download)}")
        if attempt.progress is None and self.capabilities(attempt).json_check:
            argv.append("--json")
        if read_data_subset is not None:
            argv.append(f"--read-data-subset={read_data_subset}")
        elif read_data:
            argv.append("--read-data")
        heard = self._processes.run(argv, address, attempt, locks=locks, tolerate=Cause.DAMAGED)
        return read_check(heard.said, heard.code)

    def copy(
        self,
        source: RepositoryAddress,
        destination: RepositoryAddress,
        *,
        snapshots: Sequence[str] = (),
        limit_upload: float | None = None,
        attempt: Attempt = _ONCE,
    ) -> tuple[Copied, ...]:
        """Copy snapshots (default: all) that are not there yet; says what was copied.

        `limit_upload` is bytes a second, for as long as it takes.
        """
        argv = ["copy", *snapshots]
        if limit_upload is not None:
            argv.append(f"--limit-upload={_kib(limit_upload)}")
        heard = self._processes.run(argv, destination, attempt, source=source)
        return read_copied(heard.said.log)

    def forget(
        self, address: RepositoryAddress, snapshots: Sequence[str], *, attempt: Attempt = _ONCE
    ) -> ForgetDone:
        """Forget these very snapshots (full ids); their space is freed by `prune`.

        What is not there is passed over, and named. Raises ResticError `not-removed`. Takes the
        exclusive lock.
        """
        heard = self._processes.run(
            ["forget", "--json", *snapshots], address, attempt, cached=False
        )
        return read_forgotten(list(heard.said.log))

    def prune(
        self,
        address: RepositoryAddress,
        *,
        max_unused: str = "5%",
        max_repack: int | None = None,
        attempt: Attempt = _ONCE,
    ) -> PruneDone:
        """Free what no snapshot needs. Takes the exclusive lock; needs memory as a backup does.

        `max_unused`, of the whole, may stay in packs that are also needed: `0` frees the most and
        moves the most. `max_repack` bounds what one prune moves, in bytes: the next goes on.
        """
        argv = ["prune", "--max-unused", max_unused]
        if max_repack is not None:
            argv.append(f"--max-repack-size={max_repack}")
        heard = self._processes.run(argv, address, attempt)
        return read_pruned(heard.said.log)

    def unlock(self, address: RepositoryAddress, *, attempt: Attempt = _ONCE) -> None:
        """Remove stale locks: older than 30 minutes, or of a dead process of this host. No others."""
        self._processes.run(["unlock"], address, attempt)

    def locks(self, address: RepositoryAddress, *, attempt: Attempt = _ONCE) -> tuple[Lock, ...]:
        """The repository's locks, read without taking one. One restic start, and one for each."""
        heard = self._processes.run(["list", "locks"], address, attempt, cached=False, locks=False)
        ids = [line for line in heard.said.log if re.fullmatch("[0-9a-f]{64}", line)]
        found = []
        for lock in ids:
            argv = ["cat", "lock", lock]
            text = self._document(argv, address, attempt, cached=False, locks=False)
            found.append(read_lock(lock, text))
        return tuple(found)

    def stats(
        self,
        address: RepositoryAddress,
        *,
        snapshot: str | None = None,
        mode: str = "restore-size",
        attempt: Attempt = _ONCE,
    ) -> Stats:
        """How much there is: `restore-size` of a snapshot or all, or `raw-data` as stored."""
        argv = ["stats", "--json", "--mode", mode, *([snapshot] if snapshot else [])]
        return read_stats(self._document(argv, address, attempt))

    def ls(
        self,
        address: RepositoryAddress,
        snapshot: str,
        on_entry: Callable[[Entry], None],
        *,
        folders: Sequence[PurePosixPath] = (),
        attempt: Attempt = _ONCE,
    ) -> Snapshot:
        """Hand over every entry of a snapshot (below `folders`) as it comes; returns the snapshot."""
        argv = ["ls", "--json", snapshot, *map(str, folders)]
        if folders:
            argv.insert(1, "--recursive")
        heard = self._processes.run(
            argv, address, attempt, on_node=lambda node: on_entry(read_entry(node))
        )
        first = next((m for m in heard.said.messages if m.get("struct_type") == "snapshot"), None)
        if first is None:
            raise problem(Cause.FAILED, f"restic listed {snapshot} without saying what it is")
        return read_snapshot(first)

    def config(self, address: RepositoryAddress, *, attempt: Attempt = _ONCE) -> RepositoryConfig:
        """The repository's id, format version and chunker; the cheapest proof that it opens."""
        argv = ["cat", "config"]
        return read_config(self._document(argv, address, attempt, cached=False, locks=False))

    def keys(self, address: RepositoryAddress, *, attempt: Attempt = _ONCE) -> tuple[Key, ...]:
        """The keys that open the repository."""
        return read_keys(self._document(["key", "list", "--json"], address, attempt))

    def add_key(
        self, address: RepositoryAddress, password: str, *, user: str, attempt: Attempt = _ONCE
    ) -> None:
        """Make a further key for another password; `user` is written into it in plain text.

        restic takes white space off both ends of the password. It reads it from a pipe: there is
        no file that could be left behind.
        """
        argv = ["key", "add", "--new-password-file", "/dev/stdin", "--user", user]
        self._processes.run(argv, address, attempt, stdin=password.encode(), cached=False)

    def _document(
        self,
        argv: Sequence[str],
        address: RepositoryAddress,
        attempt: Attempt,
        *,
        cached: bool = True,
        locks: bool = True,
    ) -> Any:
        heard = self._processes.run(argv, address, attempt, whole=True, cached=cached, locks=locks)
        try:
            return json.loads(heard.said.document or "null")
        except ValueError:
            said = heard.said.document[:200]
            message = f"restic {argv[0]} said something unexpected: {said!r}"
            raise problem(Cause.FAILED, message) from None


def _kib(rate: float) -> int:
    """A rate as restic takes it: whole KiB a second, at least one."""
    return max(1, int(rate) // 1024)


def _literally(path: PurePosixPath) -> str:
    """The pattern that matches this very path."""
    return re.sub(r"([\\*?\[])", r"\\\1", str(path))
