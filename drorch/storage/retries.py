"""Trying again: only what passes by itself, for a bounded time, and no faster than a store asks for.

A store that says slow down says it to all: the whole process leaves it alone for a while, not only
the one request that was told.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from drorch.core.errors import StorageError
from drorch.storage.faults import TRANSIENT

T = TypeVar("T")

#: Seconds that a store is left alone when it first says so; doubled each time it says it again.
_FIRST, _LONGEST = 0.2, 5.0

#: By how much of the wait hands come back later than others, so that they do not all at once.
_SPREAD = 0.25

_TOO_FAST = frozenset({"SlowDown", "ServiceUnavailable", "TooManyRequests", "429", "503"})


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same request may succeed moments later."""
    return isinstance(error, StorageError) and error.cause in TRANSIENT


class Retries:
    """How one region is asked again. Thread-safe; raises what was raised last.

    `limit` is for how long after the first attempt another is begun. A store that asks for more
    than that is left alone for no longer either.
    """

    def __init__(
        self,
        limit: timedelta,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limit = limit.total_seconds()
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._until = 0.0
        self._streak = 0

    def attempt(self, once: Callable[[], T]) -> T:
        """Do it, and again while it fails by what passes by itself."""
        from tenacity import Retrying, retry_if_exception, wait_random_exponential

        begun = self._now()

        def too_late(state: Any) -> bool:
            return bool(self._now() + state.upcoming_sleep - begun >= self._limit)

        retrying = Retrying(
            stop=too_late,
            wait=wait_random_exponential(multiplier=0.2, max=3),
            retry=retry_if_exception(passes_by_itself),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(once)

    def keep_calm(self) -> None:
        """Come back when the store may be asked something."""
        left = self._until - self._now()
        if left > 0:
            self._sleep(left * (1 + random.uniform(0, _SPREAD)))  # noqa: S311 - spreads hands

    def went_well(self) -> None:
        """The store has done what it was asked."""
        self._streak = 0

    def went_wrong(self, error: BaseException | None) -> None:
        """Take notice of a botocore error: the store may have asked to be left alone."""
        answer: Any = getattr(error, "response", None)
        if not isinstance(answer, dict) or answer.get("Error", {}).get("Code") not in _TOO_FAST:
            return
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        wish = seconds_of(headers.get("retry-after"), datetime.now(UTC))
        with self._lock:
            now = self._now()
            # Those that were on their way already are told the same thing, not a further one.
            if now >= self._until:
                self._streak += 1
            own = min(_FIRST * 2 ** (self._streak - 1), _LONGEST)
            self._until = max(self._until, now + min(max(own, wish), self._limit))


def seconds_of(written: str | None, now: datetime) -> float:
    """A Retry-After header's seconds from now, be it a number or a date; 0 if it is neither."""
    if written is None:
        return 0.0
    try:
        return max(0.0, float(written))
    except ValueError:
        pass
    try:
        then = parsedate_to_datetime(written)
    except ValueError:
        return 0.0
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())
