"""`files.verify`, `files.write` and `files.remove`."""

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.render import as_text
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Progress, Tools

_NAMED = 20
_CHUNK = 1 << 20
_LINE = re.compile(r"(\\?)([0-9a-fA-F]{64}) [ *](.+)")


@dataclass
class _Tally:
    """What was found below a path."""

    bytes: int = 0
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The SHA-256 of the sorted list of digests and names, as sha256sum would print it."""
        lines = (f"{self.digests[name]}  {name}\n" for name in sorted(self.digests))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


class _Stopped(Exception):
    """The attempt was cancelled."""


def _verify(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    path = arguments.path("path")
    manifest = arguments.path("manifest") if arguments.has("manifest") else None
    exact = arguments.boolean("exact", default=False)
    if not path.exists():
        return failed("missing", f"{path} does not exist", "look at the step that should make it")
    try:
        wanted = read_manifest(manifest) if manifest is not None else None
        found = _look(path, manifest, call)
    except OSError as error:
        said = f"{error.filename or path} cannot be read: {error.strerror}"
        return errored("unreadable", said, "look at permissions and the disk")
    except _Stopped:
        return errored("cancelled", f"stopped while reading {path}")
    outputs: dict[str, Value] = {
        "files": len(found.digests),
        "bytes": found.bytes,
        "digest": _digest(path, found),
    }
    if wanted is not None:
        outputs |= _compare(wanted, found.digests)
    message = _unmet(arguments, outputs, exact=exact)
    if message:
        hint = "compare with the source; restore again from another region if it is damaged"
        return failed("mismatch", f"{path}: {message}", hint, outputs=outputs)
    return passed(outputs)


def _digest(path: Path, found: _Tally) -> str:
    return found.digest if path.is_dir() else next(iter(found.digests.values()))


def _compare(wanted: Mapping[str, str], found: Mapping[str, str]) -> dict[str, Value]:
    different = sorted(n for n in wanted if n in found and wanted[n] != found[n])
    missing = sorted(set(wanted) - set(found))
    extra = sorted(set(found) - set(wanted))
    return {
        "matched": len(wanted) - len(different) - len(missing),
        "mismatched": different[:_NAMED],
        "mismatched_count": len(different),
        "missing": missing[:_NAMED],
        "missing_count": len(missing),
        "extra": extra[:_NAMED],
        "extra_count": len(extra),
    }


def _unmet(arguments: Arguments, outputs: Mapping[str, Value], *, exact: bool) -> str:
    said = []
    for name, what in (("files", "files"), ("bytes", "bytes")):
        if arguments.has(name) and arguments.integer(name) != outputs[name]:
            said.append(f"{as_text(outputs[name])} {what}, not {arguments.integer(name)}")
    if arguments.has("digest"):
        digest = arguments.text("digest").lower().removeprefix("sha256:")
        if digest != outputs["digest"]:
            said.append(f"digest {as_text(outputs['digest'])}, not {digest}")
    counted = [("mismatched", "differ"), ("missing", "are missing")]
    counted += [("extra", "are not in the manifest")] if exact else []
    for name, what in counted:
        if outputs.get(f"{name}_count"):
            names = outputs[name]
            first = names[0] if isinstance(names, list) else ""
            said.append(f"{as_text(outputs[f'{name}_count'])} {what} ({first} …)")
    return "; ".join(said)


def read_manifest(path: Path) -> dict[str, str]:
    """Name to SHA-256 (hex), from the output of sha256sum; see its manual for the escapes.

    Raises WrongArgument for lines of another form or names that lead outside, OSError.
    """
    found: dict[str, str] = {}
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise WrongArgument(
                f"{path}:{number} is not a line of sha256sum", "make it with: sha256sum FILES…"
            )
        name = match[3]
        if match[1]:
            name = name.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts:
            raise WrongArgument(
                f"{path}:{number} names {name}, which lies outside",
                "make the manifest inside the folder, with relative names",
            )
        found[str(pure)] = match[2].lower()
    return found


def _look(path: Path, manifest: Path | None, call: Call) -> _Tally:
    tally = _Tally()
    for file in _files(path):
        if manifest is not None and file.resolve() == manifest.resolve():
            continue
        name = file.name if file == path else str(file.relative_to(path))
        tally.digests[name] = _hash(file, tally, call)
        call.progress(Progress(bytes_done=tally.bytes, files_done=len(tally.digests)))
    return tally


def _files(path: Path) -> Iterator[Path]:
    """Every regular file at or below a path; symbolic links are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, _, names in os.walk(path, onerror=_refuse):
        for name in names:
            file = Path(folder, name)
            if stat.S_ISREG(file.lstat().st_mode):
                yield file


def _refuse(error: OSError) -> None:
    raise error


def _hash(file: Path, tally: _Tally, call: Call) -> str:
    digest = hashlib.sha256()
    with file.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            if call.cancel.cancelled:
                raise _Stopped
            digest.update(chunk)
            tally.bytes += len(chunk)
    return digest.hexdigest()


def _write(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    path = arguments.path("path")
    content = as_text(arguments.any("content", "")).encode()
    mode = _mode(arguments.text("mode", "0644"))
    existed = os.path.lexists(path)
    ours = not existed or bool(tools.creations.made(call.run, path))
    if not (ours or arguments.boolean("overwrite", default=False)):
        hint = "choose another path, or say overwrite: true"
        return failed("exists", f"{path} is there already", hint)
    try:
        tools.creations.note(call.run, path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, content, mode)
    except OSError as error:
        said = f"{path} cannot be written: {error.strerror}"
        return failed("unwritable", said, "look at permissions and room on the disk")
    created = [str(path)] if ours else []
    outputs: dict[str, Value] = {"path": str(path), "bytes": len(content), "created": created}
    return passed(outputs)


def _put(path: Path, content: bytes, mode: int) -> None:
    """Replace as a whole; a symbolic link at `path` is replaced, not followed."""
    temporary = path.with_name(f".{path.name}.drorch-{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _mode(text: str) -> int:
    if not re.fullmatch(r"0?[0-7]{3}", text):
        raise WrongArgument(f"mode {text!r} is not one", 'write it like "0644"')
    return int(text, 8)


def _remove(call: Call, tools: Tools) -> Result:
    path = Arguments.of(call, tools).path("path")
    if not os.path.lexists(path):
        nothing: dict[str, Value] = {"removed": [], "files": 0, "bytes": 0}
        return passed(nothing | _left(call, tools), message=f"{path} is not there")
    made = tools.creations.made(call.run, path)
    ours = tuple(sorted(p for p in made if os.path.lexists(p)))
    if not ours:
        return failed(
            "not-ours",
            f"{path} was not created by this run and stays",
            "remove it by hand if it should go",
        )
    count = _Removed()
    try:
        for target in ours:
            _refuse_mounts(target)
            count.take(target)
    except OSError as error:
        said = f"{error.filename or path} cannot be removed: {error.strerror}"
        hint = "see who uses it (fuser, mount), then remove it by hand"
        return failed("not-removed", said, hint, outputs=count.outputs(ours))
    stays = os.path.lexists(path)
    message = f"{path} itself was there before and stays" if stays else ""
    return passed(count.outputs(ours) | _left(call, tools), message=message)


def _left(call: Call, tools: Tools) -> dict[str, Value]:
    """Whatever this run made, anywhere, that is still there: of the last removal nothing is."""
    made = tools.creations.made(call.run, Path("/"))
    return {"left": sorted(str(path) for path in made if os.path.lexists(path))}


@dataclass
class _Removed:
    files: int = 0
    bytes: int = 0

    def take(self, target: Path) -> None:
        """Remove a file, link or whole folder."""
        if target.is_dir() and not target.is_symlink():
            for folder, _, names in os.walk(target):
                self._count(Path(folder, name) for name in names)
            shutil.rmtree(target)
        else:
            self._count([target])
            target.unlink()

    def _count(self, paths: Iterator[Path] | list[Path]) -> None:
        for path in paths:
            self.files += 1
            self.bytes += path.lstat().st_size

    def outputs(self, ours: tuple[Path, ...]) -> dict[str, Value]:
        """What is told of it."""
        gone = [str(p) for p in ours if not os.path.lexists(p)]
        return {"removed": gone, "files": self.files, "bytes": self.bytes}


def _refuse_mounts(target: Path) -> None:
    """A mounted file system below was put there by somebody else: raises OSError."""
    device = target.lstat().st_dev
    for folder, _, _ in os.walk(target):
        if Path(folder).lstat().st_dev != device:
            raise OSError(0, "another file system is mounted there", folder)


VERIFY = make_action(
    ActionSpec(
        "files.verify",
        "Compare files with a manifest, a count or a digest",
        (
            Parameter("path", Kind.READ_PATH, doc="a file or folder"),
            Parameter("manifest", Kind.READ_PATH, required=False, doc="as sha256sum writes it"),
            Parameter("exact", Kind.BOOLEAN, required=False, doc="no file beside the manifest's"),
            Parameter("files", Kind.INTEGER, required=False, doc="how many there must be"),
            Parameter("bytes", Kind.INTEGER, required=False, doc="how many in all"),
            Parameter("digest", Kind.TEXT, required=False, doc="SHA-256 of the file or manifest"),
        ),
        (
            "files",
            "bytes",
            "digest",
            "matched",
            "mismatched",
            "mismatched_count",
            "missing",
            "missing_count",
            "extra",
            "extra_count",
        ),
        check=True,
        repeatable=True,
    ),
    _verify,
)

WRITE = make_action(
    ActionSpec(
        "files.write",
        "Write a file, as a whole or not at all",
        (
            Parameter("path", Kind.WRITE_PATH),
            Parameter("content", Kind.ANY, required=False, doc="text, or a value as JSON"),
            Parameter("mode", Kind.TEXT, required=False, doc='default "0644"'),
            Parameter("overwrite", Kind.BOOLEAN, required=False, doc="default false"),
        ),
        ("path", "bytes", "created"),
        repeatable=True,
    ),
    _write,
)

REMOVE = make_action(
    ActionSpec(
        "files.remove",
        "Remove what this run created, and nothing else",
        (Parameter("path", Kind.WRITE_PATH, doc="a file or folder"),),
        ("removed", "files", "bytes", "left"),
        repeatable=True,
    ),
    _remove,
)
