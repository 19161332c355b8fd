"""The log of a program that nobody watches: one line for each event, plain or as JSON.

It goes to standard error. Where that is systemd's journal, each line carries its priority
(sd-daemon(3)) and plain lines leave the time to the journal. What libraries have to say (warnings
and worse) comes out the same way. Secrets are replaced by value in every text.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from drorch.core.document import rfc3339
from drorch.core.phrases import one_line

if TYPE_CHECKING:
    from drorch.adapters.run_logs import RunLog

Form: TypeAlias = Literal["plain", "json"]
#: What a line may carry beside its message; None is left out.
Field: TypeAlias = "str | int | float | bool | datetime | timedelta | None"

_OURS = "drorch"
_FACTS = "drorch_facts"
_PRIORITIES = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
#: The journal cuts lines at 48 KiB by default, and half an object is none.
_LONGEST = 8_000


class Log:
    """Says what happens: an event's stable dotted word, a sentence, and facts by name. Thread-safe.

    A line that cannot be written is lost: the reader who went away must not stop a run.
    """

    def __init__(self, handler: "_Lines") -> None:
        self._handler = handler
        self._logger = logging.getLogger(_OURS)

    def info(self, event: str, message: str, **facts: Field) -> None:
        """Something went as it should."""
        self._say(logging.INFO, event, message, facts)

    def warning(self, event: str, message: str, **facts: Field) -> None:
        """Somebody should look at it."""
        self._say(logging.WARNING, event, message, facts)

    def error(self, event: str, message: str, **facts: Field) -> None:
        """Something failed."""
        self._say(logging.ERROR, event, message, facts)

    def watcher(self, **facts: Field) -> "RunLog":
        """A watcher of runs (engine/loop.py) that tells one run; `facts` stand on each line."""
        from drorch.adapters.run_logs import RunLog

        return RunLog(self, facts)

    def close(self) -> None:
        """Say nothing any more, and leave the logging of the process as it was."""
        logging.getLogger().removeHandler(self._handler)
        self._logger.setLevel(logging.NOTSET)

    def _say(self, level: int, event: str, message: str, facts: Mapping[str, Field]) -> None:
        self._logger.log(level, "%s", message, extra={_FACTS: (event, facts)})


def open_log(
    form: Form,
    redact: Callable[[str], str],
    *,
    stream: TextIO | None = None,
    environment: Mapping[str, str] | None = None,
) -> Log:
    """The log of this process, on `stream` (default: standard error). `redact` takes secrets out."""
    out = sys.stderr if stream is None else stream
    environ = os.environ if environment is None else environment
    handler = _Lines(out, redact, form=form, journal=is_journal(out, environ))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger(_OURS).setLevel(logging.INFO)
    return Log(handler)


def is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether what is written there goes to systemd's journal (JOURNAL_STREAM in systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class _Lines(logging.Handler):
    """Writes records, ours and those of libraries, one line each."""

    def __init__(
        self, stream: TextIO, redact: Callable[[str], str], *, form: Form, journal: bool
    ) -> None:
        super().__init__()
        self._stream = stream
        self._redact = redact
        self._journal = journal
        self._form = self._as_json if form == "json" else self._plain
        # Redaction may ask a secret's program, which may log: that line does not come back here.
        self._busy = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, whole or not at all."""
        if record.name.partition(".")[0] != _OURS and record.levelno < logging.WARNING:
            return
        if getattr(self._busy, "now", False):
            return
        self._busy.now = True
        try:
            line = self._prefix(record) + self._form(record) + "\n"
            with suppress(OSError, ValueError):
                self._stream.write(line)
                self._stream.flush()
        finally:
            self._busy.now = False

    def _prefix(self, record: logging.LogRecord) -> str:
        if not self._journal:
            return ""
        level = max((n for n in _PRIORITIES if n <= record.levelno), default=logging.DEBUG)
        return f"<{_PRIORITIES[level]}>"

    def _as_json(self, record: logging.LogRecord) -> str:
        event, facts = _facts_of(record)
        head = {
            "time": rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": event,
            "message": self._text(_message(record)),
        }
        told = {name: self._fact(value) for name, value in facts.items() if value is not None}
        return json.dumps(head | told | head, ensure_ascii=False)

    def _plain(self, record: logging.LogRecord) -> str:
        event, facts = _facts_of(record)
        told = [f"{event}: {one_line(self._text(_message(record)))}"]
        told += [
            f"{name}={_word(self._fact(value))}"
            for name, value in facts.items()
            if value is not None
        ]
        text = " ".join(told)
        if self._journal:
            return text
        at = rfc3339(datetime.fromtimestamp(int(record.created), UTC))
        return f"{at} {record.levelname.lower():<7} {text}"

    def _fact(self, value: Field) -> str | float | bool:
        match value:
            case datetime():
                return rfc3339(value)
            case timedelta():
                return round(value.total_seconds(), 3)
            case bool() | int() | float():
                return value
            case _:
                return self._text(str(value))

    def _text(self, text: str) -> str:
        text = self._redact(text)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _facts_of(record: logging.LogRecord) -> tuple[str, Mapping[str, Field]]:
    """The event's word and facts; what a library says is `library.` and its name."""
    facts = getattr(record, _FACTS, None)
    return facts if facts is not None else (f"library.{record.name}", {})


def _message(record: logging.LogRecord) -> str:
    """What was said, and the last line of the exception that was said with it."""
    try:
        said = record.getMessage()
    except (TypeError, ValueError):
        said = str(record.msg)  # a library's own mistake in its own words
    error = record.exc_info[1] if record.exc_info else None
    return said if error is None else f"{said}: {type(error).__name__}: {error}"


def _word(value: str | float | bool) -> str:
    """A fact on a plain line: in quotes, as JSON has them, where it is not one bare word."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    bare = text.isprintable() and text and not any(c in text for c in ' "=')
    return text if bare else json.dumps(text, ensure_ascii=False)
