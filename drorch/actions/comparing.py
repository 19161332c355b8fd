"""`restore.verify`: a restored folder held against the snapshot it came from, byte by byte.

By the snapshot's own hashes, read from the region anew: what restic wrote is not believed because
restic says so, and none of the data is fetched a second time.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import FileIO
from pathlib import Path, PurePosixPath

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.actions.genuine import Keyring
from drorch.actions.places import bucket_of, dataset_named, region_named, repository_folder
from drorch.actions.restores import source_paths
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.errors import StorageError
from drorch.core.model import Dataset, Region
from drorch.core.names import Verdict
from drorch.core.posture import CopyFact, CopyFactKind
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Cancellation, Progress, Tools
from drorch.restic.authentic import NotGenuine, SealingKey
from drorch.restic.landing import common_root
from drorch.restic.reading import read_snapshot
from drorch.restic.trees import BlobIndex, Node, Trees
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause as Fault
from drorch.storage.layout import Kind as ObjectKind
from drorch.storage.layout import listed
from drorch.storage.probe import Depth, probe

_NAMED = 20
_CHUNK = 1 << 20


class _Stopped(Exception):
    """The attempt was cancelled."""


@dataclass
class _Comparison:
    """What was found so far; the lists have paths below the restored folder."""

    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all is as the snapshot says."""
        return not (self.missing or self.different or self.extra)

    def outputs(self) -> dict[str, Value]:
        """What is told of it."""
        told: dict[str, Value] = {"files": self.files, "bytes": self.bytes}
        for name in ("missing", "different", "extra"):
            found: list[str] = getattr(self, name)
            told[name] = [_shown(path) for path in sorted(found)[:_NAMED]]
            told[f"{name}_count"] = len(found)
        return told

    def lines(self) -> Iterator[str]:
        """Every difference, for the evidence."""
        for word in ("missing", "different", "extra"):
            yield from (f"{word}\t{_shown(path)}\n" for path in sorted(getattr(self, word)))


def _verify(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    dataset = dataset_named(tools, arguments.text("dataset"))
    region = region_named(tools, arguments.text("region", dataset.primary))
    snapshot, path = arguments.text("snapshot"), arguments.path("path")
    include = [PurePosixPath(str(i)) for i in arguments.list("include", ())]
    if not path.is_dir():
        return failed("missing", f"{path} is no folder", "look at the step that should restore it")
    trouble = probe(bucket_of(tools, region), Depth.REACHABLE).trouble
    if trouble is not None:
        return errored(trouble.cause, trouble.message, trouble.hint)
    try:
        found = _compared(call, tools, dataset, region, snapshot, path, include)
    except NotGenuine as error:
        return errored(
            "damaged",
            f"snapshot {snapshot[:8]} of {dataset.name} cannot be read in {region.name}: {error}",
            f"mend the region: drorch heal --dataset {dataset.name}",
        )
    except OSError as error:
        said = f"{error.filename or path} cannot be read: {error.strerror}"
        return errored("unreadable", said, "look at permissions and the disk")
    except _Stopped:
        return errored("cancelled", f"stopped while comparing {path}")
    judged = _judged(call, tools, found, path, snapshot)
    proves = judged.verdict is Verdict.PASS and not include
    copies = restored_whole(tools, dataset, region, snapshot) if proves else ()
    return replace(judged, copies=copies)


def restored_whole(
    tools: Tools, dataset: Dataset, region: Region, snapshot: str
) -> tuple[CopyFact, ...]:
    """That the copy came back, of one that the journal knows to be there."""
    return tuple(
        CopyFact(
            CopyFactKind.RESTORE_TESTED,
            dataset.name,
            region.name,
            known.snapshot,
            known.snapshot_at,
        )
        for known in tools.knowledge.copies(dataset.name)
        if (known.region, known.snapshot, known.owed) == (region.name, snapshot, False)
    )


def _shown(path: str) -> str:
    """A name that is no text, made one."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _judged(call: Call, tools: Tools, found: _Comparison, path: Path, snapshot: str) -> Result:
    outputs = {**found.outputs(), "snapshot": snapshot}
    if found.good:
        message = (
            f"{found.files} files, {found.bytes} bytes: all as snapshot {snapshot[:8]} has them"
        )
        return passed(outputs, message=message)
    kept = tools.evidence.keep(
        call.run,
        f"{call.step.replace('/', '.')}-{call.attempt}-differences.txt",
        tools.secrets.redact("".join(found.lines())).encode(),
    )
    said = ", ".join(
        f"{len(names)} {word} ({_shown(min(names))} …)"
        for word, names in (
            ("missing", found.missing),
            ("different", found.different),
            ("too many", found.extra),
        )
        if names
    )
    return failed(
        "mismatch",
        f"{path} is not what snapshot {snapshot[:8]} holds: {said}",
        "restore it anew into another folder, from another region if need be",
        outputs=outputs,
        evidence=(kept,),
    )


def _compared(
    call: Call,
    tools: Tools,
    dataset: Dataset,
    region: Region,
    snapshot: str,
    path: Path,
    include: Sequence[PurePosixPath],
) -> _Comparison:
    """Raises NotGenuine, OSError, StorageError, ResticError, _Stopped."""
    bucket, folder = bucket_of(tools, region), repository_folder(dataset)
    key = Keyring(tools, dataset, region.name).master
    top, paths = _snapshot(bucket, folder, key, snapshot)
    index = _index(bucket, folder, key, call.cancel)
    trees = Trees(key, index, lambda pack: _object(bucket, f"{folder}/data/{pack[:2]}/{pack}"))
    root, node = _root(trees, top, source_paths(dataset), paths)
    walk = _Walk(call, trees, _wanted(root, include))
    if node.kind == "dir":
        walk.folder(node, path, PurePosixPath())
    else:
        walk.entries([node], path, PurePosixPath())
    return walk.found


def _object(bucket: Bucket, name: str) -> bytes:
    """An object that must be there: one that is not is damage, not a trouble of the network."""
    try:
        return bucket.get(name)
    except StorageError as error:
        if error.cause == Fault.NO_OBJECT:
            raise NotGenuine(f"{name.rpartition('/')[2][:8]} is not there") from error
        raise


def _snapshot(
    bucket: Bucket, folder: str, key: SealingKey, snapshot: str
) -> tuple[bytes, tuple[PurePosixPath, ...]]:
    """The snapshot's tree and paths."""
    if len(snapshot) != 64:
        raise WrongArgument(
            f"snapshot: {snapshot!r} is no full id", 'give it as "{restore.snapshot}"'
        )
    document = key.document(_object(bucket, f"{folder}/snapshots/{snapshot}"))
    try:
        tree = bytes.fromhex(document["tree"])
        return tree, read_snapshot({**document, "id": snapshot}).paths
    except (KeyError, TypeError, ValueError) as error:
        raise NotGenuine("it is no snapshot") from error


def _index(bucket: Bucket, folder: str, key: SealingKey, cancel: Cancellation) -> BlobIndex:
    """Every index of the repository, merged."""
    index = BlobIndex()
    for named in listed(bucket, folder, ObjectKind.INDEX):
        if cancel.cancelled:
            raise _Stopped
        content = _object(bucket, f"{folder}/{named.name}")
        if not named.is_of(content):
            raise NotGenuine(f"the index {named.id[:8]} is not what its name says")
        index.take(key.document(content))
    return index


def _root(
    trees: Trees,
    top: bytes,
    configured: Sequence[PurePosixPath],
    recorded: Sequence[PurePosixPath],
) -> tuple[PurePosixPath, Node]:
    """What a restore takes for the top: by the dataset's paths, else by the snapshot's own."""
    for paths in (configured, recorded):
        if paths and any(trees.at(top, p) is not None for p in paths):
            root = common_root(paths)
            node = trees.at(top, root)
            if node is not None:
                return root, node
    raise NotGenuine("it holds nothing of the dataset's paths")


def _wanted(
    root: PurePosixPath, include: Sequence[PurePosixPath]
) -> Callable[[PurePosixPath], bool]:
    """Whether a path below the top was restored, where only some were asked for."""
    if not include:
        return lambda _: True
    try:
        asked = [(root / one).relative_to(root) for one in include]
    except ValueError:
        raise WrongArgument(
            f"include: not everything lies in {root}", "give the list that the restore was given"
        ) from None

    def wanted(path: PurePosixPath) -> bool:
        return any(path.is_relative_to(one) or one.is_relative_to(path) for one in asked)

    return wanted


class _Walk:
    """Both sides, folder by folder, so that memory does not grow with the number of files."""

    def __init__(self, call: Call, trees: Trees, wanted: Callable[[PurePosixPath], bool]) -> None:
        self._call = call
        self._trees = trees
        self._wanted = wanted
        self.found = _Comparison()

    def folder(self, node: Node, there: Path, path: PurePosixPath) -> None:
        """A folder and everything below it."""
        waiting = [(node, there, path)]
        while waiting:
            node, there, path = waiting.pop()
            waiting += self.entries(self._trees.nodes(node.subtree), there, path)

    def entries(
        self, nodes: Sequence[Node], there: Path, path: PurePosixPath
    ) -> list[tuple[Node, Path, PurePosixPath]]:
        """What one folder holds; the folders in it that are to be looked into."""
        if self._call.cancel.cancelled:
            raise _Stopped
        wanted = {n.name: n for n in nodes if self._wanted(path / n.name)}
        names = {entry.name for entry in os.scandir(there)}
        self.found.extra += [str(path / name) for name in names - wanted.keys()]
        self.found.missing += [str(path / name) for name in wanted.keys() - names]
        below = []
        for name in sorted(wanted.keys() & names):
            node = wanted[name]
            if not self._same(node, there / name):
                self.found.different.append(str(path / name))
            elif node.kind == "dir":
                below.append((node, there / name, path / name))
        return below

    def _same(self, node: Node, there: Path) -> bool:
        mode = there.lstat().st_mode
        match node.kind:
            case "dir":
                return stat.S_ISDIR(mode)
            case "symlink":
                # Path.readlink would take `./` and `//` out.
                return stat.S_ISLNK(mode) and os.readlink(there) == node.target  # noqa: PTH115
            case "file":
                self.found.files += 1
                return stat.S_ISREG(mode) and self._same_file(node, there)
            case _:
                return not (stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISLNK(mode))

    def _same_file(self, node: Node, there: Path) -> bool:
        size = there.stat().st_size
        self.found.bytes += size
        self._call.progress(Progress(bytes_done=self.found.bytes, files_done=self.found.files))
        if size != node.size:
            return False
        with there.open("rb", buffering=0) as stream:
            same = all(
                _hash(stream, length, self._call.cancel) == blob
                for blob, length in self._trees.lengths(node)
            )
            return same and not stream.read(1)


def _hash(stream: FileIO, length: int, cancel: Cancellation) -> bytes:
    digest, left = hashlib.sha256(), length
    while left:
        if cancel.cancelled:
            raise _Stopped
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            return b""
        digest.update(chunk)
        left -= len(chunk)
    return digest.digest()


VERIFY = make_action(
    ActionSpec(
        "restore.verify",
        "Hold a restored folder against its snapshot: every name, size, link and byte",
        (
            Parameter("dataset", Kind.DATASET, doc="which dataset"),
            Parameter("path", Kind.READ_PATH, doc="the folder that it was restored to"),
            Parameter("snapshot", Kind.TEXT, doc='which snapshot, as in "{restore.snapshot}"'),
            Parameter(
                "region", Kind.REGION, required=False, doc="where to read it; default: the primary"
            ),
            Parameter("include", Kind.LIST, required=False, doc="as the restore was given"),
        ),
        (
            "snapshot",
            "files",
            "bytes",
            "missing",
            "missing_count",
            "different",
            "different_count",
            "extra",
            "extra_count",
        ),
        check=True,
        repeatable=True,
    ),
    _verify,
)
