"""drorch.yaml as it was last understood, kept so that a backup need not wait for pydantic.

Named by the SHA-256 of the file's content, its place and drorch's version, so it holds no truth
of its own: a file that changed has another name, and one that is damaged is passed over. It
holds names of secrets, never values.
"""

import hashlib
import json
import os
import re
import stat
from pathlib import Path

from drorch import __version__
from drorch.core.model import Configuration

_STATE = re.compile(r"^state:[ \t]*[\"']?sqlite:///([^\s\"'#]+)", re.MULTILINE)
_KEPT = 8


def recall(text: str, file: Path) -> Configuration | None:
    """What was remembered of exactly this text at this place, if anything."""
    from drorch.core.codec import NotDecodable, decode, parse

    place = _place(text, file)
    if place is None:
        return None
    try:
        if not _is_ours(place):
            return None
        return decode(Configuration, parse(place.read_bytes()))
    except (OSError, ValueError, NotDecodable):
        return None


def remember(text: str, configuration: Configuration) -> None:
    """Keep it for the next start, if there is a state folder to keep it in; never an error."""
    from drorch.core.codec import encode

    place = _place(text, configuration.file) if configuration.file else None
    if place is None:
        return
    try:
        place.parent.mkdir(mode=0o700, parents=False, exist_ok=True)
        temporary = place.with_suffix(f".{os.getpid()}")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(encode(configuration)), "utf-8")  # in the file's order
        temporary.replace(place)
        for old in sorted(place.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _place(text: str, file: Path) -> Path | None:
    """Beside the state, in a folder that is there already."""
    state = _STATE.search(text)
    folder = (file.parent / (state[1] if state else "var/drorch.db")).parent
    if not folder.is_dir():
        return None
    key = hashlib.sha256("\0".join((__version__, str(file), text)).encode()).hexdigest()
    return folder / ".cache" / f"configuration-{key}.json"


def _is_ours(place: Path) -> bool:
    """Only what nobody else could have written is believed."""
    status = place.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
