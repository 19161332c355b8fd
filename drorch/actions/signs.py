"""`files.inspect`: does what was restored look as if somebody had encrypted it before it was backed up?

That a copy is whole says nothing about that: what is encrypted in the source is backed up in good
faith. So files are looked at themselves (core/noise.py), each at its beginning.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from drorch.actions.arguments import Arguments, WrongArgument, make_action
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.noise import LOOKED_AT, Sign, sign_of
from drorch.core.values import Finding, Result, Value, errored, failed, passed
from drorch.ports import Call, Progress, Tools

#: The share of files that may look encrypted: some always are, such as keys and archives.
_SHARE = 0.02
_NAMED = 20


class _Stopped(Exception):
    """The attempt was cancelled."""


@dataclass
class _Seen:
    files: int = 0
    suspicious: dict[str, Sign] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of all files, 0 to 1."""
        return len(self.suspicious) / self.files if self.files else 0.0

    def outputs(self) -> dict[str, Value]:
        """What is told of it."""
        return {
            "files": self.files,
            "suspicious": sorted(self.suspicious)[:_NAMED],
            "suspicious_count": len(self.suspicious),
            "share": round(self.share, 4),
        }


def _inspect(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    path, limit = arguments.path("path"), _share(arguments.any("max_share", _SHARE))
    if not path.exists():
        return failed("missing", f"{path} does not exist", "look at the step that should make it")
    try:
        seen = _looked_at(path, call)
    except OSError as error:
        said = f"{error.filename or path} cannot be read: {error.strerror}"
        return errored("unreadable", said, "look at permissions and the disk")
    except _Stopped:
        return errored("cancelled", f"stopped while looking at {path}")
    return _judged(path, seen, limit)


def _judged(path: Path, seen: _Seen, limit: float) -> Result:
    if not seen.files:
        return failed("empty", f"{path} holds no file", "look at the step that should make it")
    name, sign = next(iter(sorted(seen.suspicious.items())), ("", None))
    told = (
        f"{len(seen.suspicious)} of {seen.files} files look encrypted, such as {name} ({sign})"
        if seen.suspicious
        else ""
    )
    if seen.share > limit:
        return failed(
            "encrypted",
            f"{told}: more than {limit:.0%}",
            "open some of them; if they are, restore as of an earlier time",
            outputs=seen.outputs(),
        )
    hint = "open it, to be sure; keys, archives and compressed data may look so"
    findings = (Finding("files.suspicious", path.name, told, hint),) if told else ()
    return passed(seen.outputs(), findings=findings)


def _share(value: Value) -> float:
    """A share written as `2%` or 0.02."""
    text = str(value).strip()
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise WrongArgument(f"max_share: {text!r} is no share", "write it like 2%")
    return found


def _looked_at(path: Path, call: Call) -> _Seen:
    seen = _Seen()
    for file in _files(path):
        if call.cancel.cancelled:
            raise _Stopped
        with file.open("rb", buffering=0) as stream:
            beginning = stream.read(LOOKED_AT) or b""
        seen.files += 1
        sign = sign_of(file.name, beginning)
        if sign is not None:
            name = file.name if file == path else str(file.relative_to(path))
            seen.suspicious[os.fsencode(name).decode("utf-8", "backslashreplace")] = sign
        call.progress(Progress(files_done=seen.files))
    return seen


def _files(path: Path) -> Iterator[Path]:
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


INSPECT = make_action(
    ActionSpec(
        "files.inspect",
        "Look for signs that files were encrypted before they were backed up",
        (
            Parameter("path", Kind.READ_PATH, doc="a file or folder"),
            Parameter(
                "max_share",
                Kind.ANY,
                required=False,
                doc="of all files may look encrypted; default 2%",
            ),
        ),
        ("files", "suspicious", "suspicious_count", "share"),
        check=True,
        repeatable=True,
    ),
    _inspect,
)
