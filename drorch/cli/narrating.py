"""Runs told line by line: for pipes and logs in words, for scripts as JSON lines.

Watchers never raise: a reader who went away must not end a drill.
"""

import json
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, TextIO

from drorch.cli.session import Session
from drorch.cli.words import clock, one_line, size
from drorch.core.codec import encode_event
from drorch.core.document import rfc3339
from drorch.core.events import AttemptStarted, Event, PersonAsked, RunStarted
from drorch.core.moment import Moment
from drorch.core.sentences import answer_to, sentence
from drorch.core.state import RunFold
from drorch.ports import Progress

#: Seconds between two words on how far a step is: for readers of logs, and for programs.
LOG_INTERVAL = 10.0
JSON_INTERVAL = 0.5


class Throttle:
    """Lets one word on each step through in so many seconds; thread-safe."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def lets_through(self, step: str) -> bool:
        """Whether it is time for another word on the step."""
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(step, now - self._interval) < self._interval:
                return False
            self._last[step] = now
            return True

    def start(self, step: str) -> None:
        """The step begins: the first word on it comes an interval later."""
        with self._lock:
            self._last[step] = time.monotonic()


class Narrator:
    """A watcher that tells one line per event on stdout."""

    def __init__(self, session: Session, zone: str, title: str = "", run: str = "") -> None:
        self.run = run
        self._session = session
        self._zone = zone
        self._title = f"{title}: " if title else ""
        self._throttle = Throttle(LOG_INTERVAL)

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """Tell what happened."""
        self.run = self.run or state.run
        if isinstance(event, AttemptStarted):
            self._throttle.start(event.step)
        text = sentence(state, event) + self._way_on(event)
        self._session.say(f"{clock(at.at, self._zone)} {self._title}{text}")

    def _way_on(self, event: Event) -> str:
        if not self.run:
            return ""
        if isinstance(event, RunStarted):
            return f" (run {self.run})"
        return f"; {answer_to(event, self.run)}" if isinstance(event, PersonAsked) else ""

    def progress(self, step: str, progress: Progress) -> None:
        """Tell how far a step is, now and then."""
        if self._throttle.lets_through(step):
            self._session.say(f"         {self._title}{step}: {amount(progress)}")


class JsonLines:
    """A watcher that writes one JSON object per event and, now and then, per progress."""

    def __init__(self, session: Session, stream: TextIO | None = None, run: str = "") -> None:
        self._session = session
        self._stream = stream or sys.stderr
        self.run = run
        self._throttle = Throttle(JSON_INTERVAL)

    def happened(self, state: RunFold, event: Event, at: Moment) -> None:
        """Write the event."""
        self.run = self.run or state.run
        self._write({"at": rfc3339(at.at), "run": self.run or None, **event_document(event)})

    def progress(self, step: str, progress: Progress) -> None:
        """Write how far a step is."""
        if self._throttle.lets_through(step):
            told = {"event": "progress", "step": step, **progress_document(progress)}
            self._write({"run": self.run or None, **told})

    def _write(self, document: Mapping[str, Any]) -> None:
        self._session.write(self._stream, json.dumps(document, ensure_ascii=False) + "\n")


def event_document(event: Event) -> Mapping[str, Any]:
    """An event for scripts; of the first one, the plan is named and not spelled out."""
    if isinstance(event, RunStarted):
        plan = event.plan
        return {
            "event": "run.started",
            "kind": plan.kind.value,
            "name": plan.name,
            "mode": plan.mode.value,
            "by": event.by,
            "trigger": event.trigger,
            "reason": event.reason,
            "steps": len(plan.steps),
        }
    kind, body = encode_event(event)
    return {"event": kind, **(body if isinstance(body, Mapping) else {})}


def progress_document(progress: Progress) -> dict[str, object]:
    """How far, for scripts; null where unknown."""
    return {
        "bytes_done": progress.bytes_done,
        "bytes_total": progress.bytes_total,
        "files_done": progress.files_done,
        "files_total": progress.files_total,
        "message": progress.message,
    }


def amount(progress: Progress) -> str:
    """How far: `12 of 2000 files, 3.1 MiB of 791.0 MiB (0 %)`, or the message."""
    parts = []
    if progress.files_done is not None:
        of = f" of {progress.files_total}" if progress.files_total else ""
        parts.append(f"{progress.files_done}{of} files")
    if progress.bytes_done is not None:
        of = ""
        if progress.bytes_total:
            of = f" of {size(progress.bytes_total)} ({percent(progress)})"
        parts.append(f"{size(progress.bytes_done)}{of}")
    return ", ".join(parts) or one_line(progress.message) or "under way"


def percent(progress: Progress) -> str:
    """Whole percents of the bytes, rounded down so that 100 % means done."""
    done, total = progress.bytes_done or 0, progress.bytes_total or 0
    return f"{min(100, 100 * done // total) if total else 0}%"
