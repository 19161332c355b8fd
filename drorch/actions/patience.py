"""Waiting that ends in time and when the attempt is cancelled."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Generic, TypeVar

from drorch.ports import Cancellation

Answer = TypeVar("Answer")


class OutOfTime(Exception):
    """The limit passed first."""


class Stopped(Exception):
    """The attempt was cancelled first; the text is the reason."""


def pause(cancel: Cancellation, length: timedelta) -> bool:
    """Wait so long; False if cancelled before."""
    over = threading.Event()
    forget = cancel.on_cancel(over.set)
    try:
        return not over.wait(length.total_seconds())
    finally:
        forget()


class _Work(Generic[Answer]):
    def __init__(self, work: Callable[[], Answer], over: threading.Event) -> None:
        self._work = work
        self._over = over
        self.answers: list[Answer] = []
        self.error: BaseException | None = None
        self.done = False

    def carry(self) -> None:
        try:
            self.answers.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error
        self.done = True
        self._over.set()


def in_time(
    cancel: Cancellation,
    limit: timedelta,
    work: Callable[[], Answer],
    stop: Callable[[], None] = lambda: None,
) -> Answer:
    """What `work` gives, or its exception; Stopped or OutOfTime if that does not come in time.

    Work that blocks where nothing can wake it (name resolution, a connect) is left to its own
    timeouts in a daemon thread; `stop` is called so that it ends soon.
    """
    over = threading.Event()
    carried = _Work(work, over)
    forget = cancel.on_cancel(over.set)
    threading.Thread(target=carried.carry, daemon=True, name="in-time").start()
    try:
        in_limit = over.wait(limit.total_seconds())
    finally:
        forget()
    if carried.done:
        if carried.error is not None:
            raise carried.error
        return carried.answers[0]
    with suppress(Exception):
        stop()
    if in_limit:
        raise Stopped(cancel.reason or "cancelled")
    raise OutOfTime


def limit_of(asked: timedelta, whole: timedelta | None) -> timedelta:
    """The shorter of an action's own limit and its step's."""
    return asked if whole is None else min(asked, whole)
