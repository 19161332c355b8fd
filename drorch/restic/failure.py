"""Why restic failed, in words that journals keep and a tired operator can act on.

Knows exit codes 10, 11 and 12 (since 0.17) and, for older versions, the sentences they stand for.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from drorch.core.errors import ResticError
from drorch.ports import Completed, Ended
from drorch.restic.lines import Listener, Message


class Cause(StrEnum):
    """The stable words for what went wrong."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - a cause, not a password
    KEYS_GONE = "keys-gone"
    NO_REPOSITORY = "no-repository"
    NO_BUCKET = "no-bucket"
    EXISTS = "exists"
    LOCKED = "locked"
    ACCESS_DENIED = "access-denied"
    UNREACHABLE = "unreachable"
    SOURCE_MISSING = "source-missing"
    SOURCE_UNREADABLE = "source-unreadable"
    SOURCE_SYMLINK = "source-symlink"
    DUMP_FAILED = "dump-failed"
    INTERRUPTED = "interrupted"
    TIMEOUT = "timeout"
    DISK_FULL = "disk-full"
    DAMAGED = "damaged"
    NOT_FOUND = "not-found"
    NOT_REMOVED = "not-removed"
    NOT_STARTED = "not-started"
    TARGET_NOT_EMPTY = "target-not-empty"
    TARGET_BUSY = "target-busy"
    TARGET_UNUSABLE = "target-unusable"
    ONLY_READ = "only-read"
    FAILED = "failed"


_HINTS: Final = {
    Cause.WRONG_PASSWORD: "check the dataset's password secret; if it is certainly right, the "
    "repository's keys/ may have been deleted or hidden: look at the bucket's versions "
    "before anything else",
    Cause.KEYS_GONE: "do not make the repository anew: bring the keys back from another region or "
    "from the bucket's versions (drorch heal), and find out who could delete them",
    Cause.NO_REPOSITORY: "is this the right region and prefix? If the repository was never made, "
    "drorch repo init makes it; if it was there before, do not: its config may have been "
    "deleted, look at the bucket's versions",
    Cause.NO_BUCKET: "create the bucket in the right region yourself; restic would create it in "
    "a default one",
    Cause.EXISTS: "nothing needs to be done: the repository is there",
    Cause.LOCKED: "another restic works on this repository: wait for it; if its machine died, "
    "drorch repo unlock removes the locks that are stale, and only those",
    Cause.ACCESS_DENIED: "check the region's access key and its rights on the bucket",
    Cause.UNREACHABLE: "check the region's endpoint and the network (drorch doctor)",
    Cause.SOURCE_MISSING: "is the file system mounted, and is the path in the configuration right?",
    Cause.SOURCE_UNREADABLE: "give the user that runs drorch the right to read it",
    Cause.SOURCE_SYMLINK: "restic would keep the link alone: configure the folder it points to",
    Cause.DUMP_FAILED: "run the dump command by hand as the user that runs drorch; no snapshot "
    "was made of the incomplete dump",
    Cause.INTERRUPTED: "run it again: what was already uploaded is not sent twice",
    Cause.TIMEOUT: "give it more time, or see why the region is slow; what was already uploaded "
    "is not sent twice",
    Cause.DISK_FULL: "free space there, or choose another target; restic also needs some "
    "temporary space (TMPDIR)",
    Cause.DAMAGED: "this copy of the repository is damaged or incomplete: mend it from the others "
    "with drorch heal, and use another region meanwhile",
    Cause.ONLY_READ: "work with the real configuration: the copy of an exercise only reads",
    Cause.NOT_FOUND: "list what is there: drorch snapshots list, drorch snapshots ls",
    Cause.NOT_REMOVED: "may this region's key delete objects, and is the bucket one whose objects "
    "can be deleted? What was not removed is tried again the next time",
    Cause.NOT_STARTED: "install restic 0.14.0 or later, or correct its path",
    Cause.TARGET_NOT_EMPTY: "choose a folder that does not exist yet or is empty",
    Cause.TARGET_BUSY: "wait for the other restore, or choose another folder",
    Cause.TARGET_UNUSABLE: "choose a folder the user that runs drorch may write to",
    Cause.FAILED: "read restic's own words above; drorch doctor checks the surroundings",
}

_BY_CODE: Final = {10: Cause.NO_REPOSITORY, 11: Cause.LOCKED, 12: Cause.WRONG_PASSWORD}

# In this order: what is asked first may hide what comes later (a lost connection makes every
# Load fail; a full disk is no damage).
_SENTENCES: Final[Mapping[Cause, tuple[str, ...]]] = {
    Cause.INTERRUPTED: ("signal interrupt received",),
    Cause.DISK_FULL: ("no space left on device", "disk quota exceeded"),
    Cause.NO_BUCKET: ("specified bucket does not exist", "NoSuchBucket"),
    Cause.WRONG_PASSWORD: ("wrong password or no key found",),
    Cause.LOCKED: ("repository is already locked",),
    Cause.EXISTS: ("config file already exists",),
    Cause.ACCESS_DENIED: (
        "access ?key id you provided does not exist",
        "access ?denied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "signature we calculated",
        "403 Forbidden",
    ),
    Cause.UNREACHABLE: (
        "connection refused",
        "connection reset",
        "no such host",
        "no route to host",
        "network is unreachable",
        "i/o timeout",
        "TLS handshake",
        "x509: ",
    ),
    Cause.NOT_REMOVED: ("unable to remove ", "failed to remove one or more", r"Remove\(<snapshot/"),
    Cause.NOT_FOUND: (
        "no matching ID found",
        "no snapshot found",
        "invalid id ",
        "path .*: not found",
    ),
    Cause.NO_REPOSITORY: ("Is there a repository at the following", "unable to open config file"),
    Cause.SOURCE_MISSING: ("all (source|target) directories/files do not exist",),
    Cause.DAMAGED: (
        "repository contains errors",
        "repository is damaged",
        "ciphertext verification failed",
        "decrypting blob .* failed",
        r"(Load|ReadFull)\(<\w+/",
        "specified key does not exist",
        "invalid data returned",
        "unexpected EOF",
        "not found in (index|repository)",
        "not found in pack",
        "load index",
    ),
}
_BY_TEXT: Final = tuple(
    (re.compile("|".join(sentences), re.IGNORECASE), cause)
    for cause, sentences in _SENTENCES.items()
)

_FOLDERS: Final = {"data": "data", "index": "index", "snapshot": "snapshots", "key": "keys"}

#: `Load(<data/d17c1f2696>, 0, 0) failed`; `from d17c1f26 failed`, `pack d17c1f26…: does not exist`.
_OBJECT: Final = re.compile(r"<(data|index|snapshot|key)/([0-9a-f]{8,64})>")
_PACK: Final = re.compile(r"\b(?:pack|from) ([0-9a-f]{8,64})\b")

_PHRASES: Final = {
    "version": "tell its version",
    "init": "make the repository",
    "backup": "back up",
    "snapshots": "list the snapshots",
    "restore": "restore",
    "check": "check the repository",
    "copy": "copy the snapshots",
    "forget": "forget the snapshots",
    "prune": "free space",
    "unlock": "remove stale locks",
    "ls": "list the snapshot",
    "find": "search the snapshots",
    "stats": "measure the repository",
    "cat": "read from the repository",
    "list": "list what is in the repository",
    "key": "list or add keys",
}


def problem(cause: Cause, message: str, objects: tuple[str, ...] = ()) -> ResticError:
    """An error with the hint that belongs to its cause."""
    return ResticError(message, _HINTS[cause], cause.value, objects)


def diagnose(
    verb: str, done: Completed, heard: Listener, *, redact: Callable[[str], str] = str
) -> ResticError:
    """Why a restic process that was to do `verb` did not do it."""
    cause, message = _diagnosis(verb, done, heard)
    objects = tuple(dict.fromkeys(_complained_of(heard))) if cause is Cause.DAMAGED else ()
    return problem(cause, redact(message), objects)


def _diagnosis(verb: str, done: Completed, heard: Listener) -> tuple[Cause, str]:
    could_not = f"restic could not {_PHRASES.get(verb, verb)}"
    if done.ended is Ended.NOT_STARTED:
        fed = done.feeder is not None
        cause = Cause.DUMP_FAILED if fed else Cause.NOT_STARTED
        return cause, f"{could_not}: {done.message}"
    if heard.gone:
        return Cause.DAMAGED, f"{could_not}: what it needs is gone ({', '.join(heard.gone)})"
    if done.ended is Ended.CANCELLED:
        return Cause.INTERRUPTED, f"restic {verb} was interrupted"
    if done.ended is Ended.TIMED_OUT:
        seconds = f"{done.elapsed.total_seconds():.0f} s"
        return Cause.TIMEOUT, f"restic {verb} was not done in time (ended after {seconds})"
    if done.feeder is not None and done.feeder.exit_code != 0:
        return Cause.DUMP_FAILED, _dump_failure(done.feeder)
    cause = _cause(done.exit_code, heard)
    return cause, f"{could_not}: {_words(done, heard)}"


def _complained_of(heard: Listener) -> Iterator[str]:
    """The objects that restic's words name, by the beginnings of their ids."""
    for text in _texts(heard):
        for kind, key in _OBJECT.findall(text):
            yield f"{_FOLDERS[kind]}/{key}"
        for pack in _PACK.findall(text):
            yield f"data/{pack}"


def error_text(error: Message) -> str:
    """What an error message of any version says; 0.14 has a system error's number alone."""
    inner = error.get("error")
    if not isinstance(inner, dict):
        return str(error.get("message", inner or "")).strip()
    if "message" in inner:
        return str(inner["message"]).strip()
    number = inner.get("Err")
    reason = os.strerror(number) if isinstance(number, int) else str(number)
    return " ".join(str(p) for p in (inner.get("Op"), inner.get("Path")) if p) + f": {reason}"


def _dump_failure(feeder: Completed) -> str:
    said = feeder.stderr.strip().splitlines()[-3:] or [feeder.message]
    how = "could not be started" if feeder.exit_code is None else f"exited {feeder.exit_code}"
    return f"the dump command {how}: {' / '.join(s.strip() for s in said)}".rstrip(": ")


def _cause(code: int | None, heard: Listener) -> Cause:
    texts = list(_texts(heard))
    by_text = (c for pattern, c in _BY_TEXT if any(pattern.search(t) for t in texts))
    if code in _BY_CODE:
        # A missing bucket exits with 10 as well, and must not look like a missing repository.
        said = next(by_text, None)
        return said if said is Cause.NO_BUCKET else _BY_CODE[code]
    if code == 130:
        return Cause.INTERRUPTED
    return next(by_text, Cause.FAILED)


def _texts(heard: Listener) -> Iterator[str]:
    exit_error = heard.of_type("exit_error")
    if exit_error is not None:
        yield str(exit_error.get("message", ""))
    yield from heard.log
    for error in heard.errors:
        yield error_text(error)


def _words(done: Completed, heard: Listener) -> str:
    """The last words of restic, without its decoration."""
    exit_error = heard.of_type("exit_error")
    if exit_error is not None:
        said = str(exit_error.get("message", ""))
    else:
        fatal = [line for line in heard.log if line.startswith("Fatal: ")]
        said = (fatal or list(heard.log)[-1:] or [done.message])[0]
    first = said.replace("Fatal: ", "").strip().split("\n")[0]
    if heard.errors:
        first += f" ({heard.error_count} errors; the first: {error_text(heard.errors[0])})"
    return first or f"it exited with {done.exit_code} and said nothing"
