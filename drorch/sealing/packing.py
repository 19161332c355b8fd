"""Files by name as one folder or one zip file, each read with suspicion: it comes from anywhere.

A zip holds nothing that is not content: stored, sorted, one date, no extras. What is read is packed
anew and compared, so every byte of it counts. Names are of files, or of files in one folder.
"""

import errno
import io
import os
import shutil
import stat
import struct
import tempfile
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from drorch.core.errors import DrorchError, UsageError

Files = Mapping[str, bytes]

#: Nothing larger is read, in bytes.
LARGEST = 1 << 30

#: What tells of all others. Without this and the other two it was never a bundle.
MANIFEST = "manifest.json"
_MARKS = frozenset({MANIFEST, "seal.json", "journal.jsonl"})

#: What is no fault of whoever named the place.
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})

_UNIX = 3
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Refused(Exception):
    """Something that was read is not what it should be: what, and why (as a sentence's end)."""

    def __init__(self, subject: str, message: str) -> None:
        super().__init__(f"{subject}: {message}")
        self.subject = subject
        self.message = message


class NoBundle(Refused):
    """What was read shows no trace of a bundle: it is something else."""


def is_name(name: str) -> bool:
    """Whether a file of a bundle may be called so: wherever it is unpacked it stays inside."""
    parts = name.split("/")
    return (
        len(parts) <= 2
        and all(part not in ("", ".", "..") for part in parts)
        and all(c.isprintable() and c != "\\" for c in name)
    )


def write(files: Files, output: Path) -> None:
    """Write a folder, or with a suffix one zip file. Whole or not at all.

    A file in the way is replaced, a folder is not. Raises UsageError for what cannot be written,
    DrorchError where there is no room for it.
    """
    try:
        _write_file(files, output) if output.suffix else _write_folder(files, output)
    except OSError as error:
        if error.errno in _DISK:
            raise DrorchError(
                f"the bundle cannot be written to {output}: {error.strerror}",
                "make room there, or give another --output",
            ) from None
        raise UsageError(
            f"the bundle cannot be written to {output}: {error.strerror}", "give another --output"
        ) from None


def read(path: Path) -> Files:
    """What a folder or file holds. Raises Refused; UsageError when there is none."""
    try:
        if path.is_dir():
            _must_look_like_one(path.name, {item.name for item in path.iterdir()}, "folder")
            return dict(_folder(path))
        if path.exists() and not path.is_file():
            raise NoBundle(path.name, "it is no bundle, neither a folder nor a file")
        return unpacked(_content(path), path.name)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", "give a bundle's folder or file"
        ) from None


# --- as a folder


def _write_folder(files: Files, output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is not empty", "give another --output")
    output.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        for name, content in files.items():
            (made / name).parent.mkdir(exist_ok=True)
            (made / name).write_bytes(content)
        made.chmod(0o755)
        made.rename(output)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    left = LARGEST
    for item in sorted(folder.iterdir()):
        inside = item.is_dir() and not item.is_symlink()
        for file in sorted(item.iterdir()) if inside else [item]:
            name = file.relative_to(folder).as_posix()
            if not is_name(name):
                raise Refused(ascii(name), "a file of a bundle is not called so")
            if inside and file.is_dir():
                raise Refused(name, "it is a folder, and the folders of a bundle have none")
            content = _content(file, name, left)
            left -= len(content)
            yield name, content


def _content(path: Path, name: str = "", left: int = LARGEST) -> bytes:
    """Never what a link points at, and never more than so many bytes."""
    if path.is_symlink() and name:
        raise Refused(name, "it is not a file")
    # Not to wait for somebody who would write into a pipe.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Refused(name or path.name, "it is not a file")
        if status.st_size > left:
            raise Refused(name or path.name, "it is larger than any bundle")
        return file.read(left)


# --- as one file


def _write_file(files: Files, output: Path) -> None:
    if output.is_dir():
        raise UsageError(f"{output} is a folder", "give another --output")
    output.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=output.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(packed(files))
        Path(name).chmod(0o644)
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def packed(files: Files) -> bytes:
    """The one zip of these files: always the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, 0o100644 << 16
            archive.writestr(entry, files[name])
    return target.getvalue()


#: With what an entry and the end of a zip begin, and how many bytes the latter takes at least.
_LOCAL, _END, _END_SIZE = b"PK\x03\x04", b"PK\x05\x06", 22

#: What zipfile raises for what is no zip, or is encrypted, or packed by a codec it does not know.
_NO_ZIP = (
    zipfile.BadZipFile,
    ValueError,
    KeyError,
    EOFError,
    OverflowError,
    RuntimeError,
    struct.error,
)


def unpacked(content: bytes, name: str) -> Files:
    """What a zip holds, if it was packed by `packed`; Refused, of `name`, otherwise."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _must_look_like_one(name, {entry.filename for entry in entries}, "zip file")
            # Nothing is unpacked that together could be larger than the file, or needs a codec.
            plain = all(e.compress_type == zipfile.ZIP_STORED for e in entries)
            if not plain or sum(e.file_size for e in entries) > len(content):
                raise Refused(name, "it was packed anew: unpack it, and give the folder")
            strange = [e.filename for e in entries if not is_name(e.filename)]
            if strange:
                raise Refused(ascii(strange[0]), "a file of a bundle is not called so")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except _NO_ZIP as error:
        raise _unreadable(name, content, error) from None
    if content != packed(files):
        raise Refused(name, "it is not packed as it was sealed")
    return files


def _must_look_like_one(name: str, inside: Collection[str], what: str) -> None:
    if not inside:
        raise NoBundle(name, f"it is no bundle, but an empty {what}")
    if _MARKS.isdisjoint(inside):
        held = ascii(min(inside))
        raise NoBundle(name, f"it is no bundle, but a {what} of something else: it holds {held}")


def _unreadable(name: str, content: bytes, error: Exception) -> Refused:
    """Why what was read is no zip, as far as it shows."""
    if not content:
        return NoBundle(name, "it is no bundle: the file is empty")
    if not any(content.find(mark) >= 0 for mark in (_LOCAL, _END)):
        what = "text" if _is_text(content[:4096]) else "something else"
        return NoBundle(name, f"it is no bundle: the file is no zip, but {what}")
    end = content.rfind(_END)
    if end < 0 or len(content) - end < _END_SIZE:
        return Refused(name, "it is cut short: the end of the zip file is missing")
    return Refused(name, f"the zip file is damaged: {error}")


def _is_text(content: bytes) -> bool:
    return all(byte >= 32 or byte in b"\t\n\r\f" for byte in content)
