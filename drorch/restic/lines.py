"""What restic says, line by line, on both streams.

Knows that any stream may hold JSON objects, text, or both; that a line which is no JSON object
is a log line and never an error by itself; that new message types appear with new versions.
"""

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from drorch.ports import Progress

Message: TypeAlias = Mapping[str, Any]
ProgressSink: TypeAlias = Callable[[Progress], None]
MessageSink: TypeAlias = Callable[[Message], None]

#: Errors and log lines beyond these are counted, not kept: a dying disk has millions.
KEPT_ERRORS: Final = 1000
KEPT_LOG: Final = 400

_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\r")
_IGNORED = re.compile(r"^ignoring error for (.*?): (.*)$")
_RETRIED = re.compile(r"^Load\(<(\w+/\w+)>.* returned error, retrying after [^:]*: (.*)$")
_NOT_THERE = re.compile(
    r"specified key does not exist|no such file or directory|404 Not Found", re.IGNORECASE
)
#: How often restic may ask for an object that is not there.
_PATIENCE: Final = 3
_TEXT_PROGRESS = re.compile(r"^\[[\d:]+\]\s+[\d.]+%\s+(\d+) / (\d+) ([a-z ]+)")


def clean(line: str) -> str:
    """The line without terminal control sequences, which restic prints into pipes too."""
    return _ESCAPES.sub("", line)


def parse(line: str) -> Message | None:
    """The JSON object on this line, or None."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


class Listener:
    """Takes the lines of one restic process.

    `messages` are the JSON objects without status, error and streamed ones; `errors` restic's
    error messages (the first 1,000; `error_count` is all); `log` the last lines of text;
    `document` is the whole standard output with `whole=True`, for commands that print one value.

    restic up to 0.16 asks a quarter of an hour for an object that is gone before it gives up.
    `on_gone` is called when it has asked for one often enough; `gone` tells of which.
    """

    def __init__(
        self,
        progress: ProgressSink | None = None,
        on_node: MessageSink | None = None,
        *,
        whole: bool = False,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        self.gone: list[str] = []
        self._asked: Counter[str] = Counter()
        self._on_gone = on_gone
        self.messages: list[Message] = []
        self.errors: list[Message] = []
        self.error_count = 0
        self.log: deque[str] = deque(maxlen=KEPT_LOG)
        self._progress = progress
        self._on_node = on_node
        self._whole: list[str] | None = [] if whole else None

    @property
    def document(self) -> str:
        """Standard output in one piece. The port splits very long lines, hence no line ends."""
        return "".join(self._whole or ())

    def of_type(self, message_type: str) -> Message | None:
        """The last message of this type."""
        found = (m for m in reversed(self.messages) if m.get("message_type") == message_type)
        return next(found, None)

    def stdout(self, line: str) -> None:
        """Take a line of standard output."""
        line = clean(line)
        if self._whole is not None:
            self._whole.append(line)
        else:
            self._take(line)

    def stderr(self, line: str) -> None:
        """Take a line of standard error."""
        self._take(clean(line))

    def _take(self, line: str) -> None:
        message = parse(line)
        if message is None:
            self._text(line)
            return
        kind = message.get("message_type")
        if kind == "status":
            self._status(message)
        elif kind == "error":
            self._error(message)
        elif self._on_node is not None and message.get("struct_type") == "node":
            self._on_node(message)
        elif kind != "verbose_status":
            self.messages.append(message)

    def _error(self, message: Message) -> None:
        self.error_count += 1
        if len(self.errors) < KEPT_ERRORS:
            self.errors.append(message)

    def _text(self, line: str) -> None:
        if ignored := _IGNORED.match(line):  # what restore says in text, up to 0.16
            self._error({"item": ignored[1], "error": {"message": ignored[2]}})
            return
        match = _TEXT_PROGRESS.match(line)
        if match is None:
            if line.strip():
                self.log.append(line.strip())
                self._retried(line)
        elif self._progress is not None:
            done, total, what = match.groups()
            said = f"{done} / {total} {what.strip()}"
            self._progress(
                Progress(files_done=int(done), files_total=int(total), message=said)
                if what.startswith("files")
                else Progress(message=said)
            )

    def _retried(self, line: str) -> None:
        match = _RETRIED.match(line)
        if match is None or _NOT_THERE.search(match[2]) is None:
            return
        self._asked[match[1]] += 1
        if self._asked[match[1]] == _PATIENCE:
            self.gone.append(match[1])
            self._on_gone()

    def _status(self, status: Message) -> None:
        if self._progress is None:
            return
        restored = status.get("files_restored"), status.get("bytes_restored")
        done = restored if any(restored) else (status.get("files_done"), status.get("bytes_done"))
        self._progress(
            Progress(
                bytes_done=done[1] or 0,
                bytes_total=status.get("total_bytes"),
                files_done=done[0] or 0,
                files_total=status.get("total_files"),
            )
        )
