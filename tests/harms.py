"""What can be done to a request on its way to a region and back, and plans of when it is done.

A plan takes what is asked and gives a harm or None. `drawn` draws by a seed, by what is asked and
how often it was asked before, so that the same harm comes whichever thread is faster.
"""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum


class Harm(StrEnum):
    """What is done to one exchange."""

    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    SLOW_DOWN = "slow-down"
    SLOW_DOWN_AFTER = "slow-down-retry-after"
    EXPIRED = "expired-token"
    SKEWED = "time-too-skewed"
    ARCHIVED = "archived"
    RESET_BEFORE = "reset-before"
    RESET_WITHIN = "reset-within-the-body"
    RESET_AFTER = "reset-after-it-was-done"
    SHORT = "body-shorter-than-told"
    SHORT_AS_TOLD = "body-shorter-and-so-told"
    FLIPPED = "flipped-bit"
    STALLED = "stalled"
    STALLED_WITHIN = "stalled-within-the-body"
    DIES = "dies"
    TAKEN = "taken-and-not-kept"


def _refusal(status: str, code: str, more: str = "") -> bytes:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\n{more}"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


#: Harms that are an answer of their own; the region is not asked.
ANSWERS = {
    Harm.SERVER_ERROR: _refusal("500 Internal Server Error", "InternalError"),
    Harm.UNAVAILABLE: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    Harm.SLOW_DOWN: _refusal("503 Slow Down", "SlowDown"),
    Harm.SLOW_DOWN_AFTER: _refusal("503 Slow Down", "SlowDown", "Retry-After: 1\r\n"),
    Harm.EXPIRED: _refusal("403 Forbidden", "ExpiredToken"),
    Harm.SKEWED: _refusal("403 Forbidden", "RequestTimeTooSkewed"),
    Harm.ARCHIVED: _refusal("403 Forbidden", "InvalidObjectState"),
    # A store that looks at nothing would answer so; it is no fault of its own.
    Harm.TAKEN: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}

#: Harms to a body; the others may be done to any exchange.
TO_BODIES = frozenset(
    {Harm.RESET_WITHIN, Harm.SHORT, Harm.SHORT_AS_TOLD, Harm.FLIPPED, Harm.STALLED_WITHIN}
)
#: A sender of a body that is cut short is a reset; only an answer can lie about its length.
TO_ANSWERS = frozenset({Harm.SHORT, Harm.SHORT_AS_TOLD})

#: What passes by itself, sooner or later.
PASSING = frozenset(Harm) - {Harm.DIES, Harm.EXPIRED, Harm.SKEWED, Harm.ARCHIVED, Harm.TAKEN}


@dataclass(frozen=True)
class Asked:
    """A request: its method, its target, and how long its body is."""

    method: str
    target: str
    length: int

    @classmethod
    def of(cls, head: bytes) -> "Asked":
        line, *headers = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        told = (h.partition(":") for h in headers)
        lengths = [int(v) for k, _, v in told if k.lower() == "content-length"]
        return cls(method, target, lengths[0] if lengths else 0)

    @property
    def listing(self) -> bool:
        return "list-type=" in self.target

    def can_suffer(self, harm: Harm) -> bool:
        """Whether the harm can be done to it."""
        if harm in TO_ANSWERS:
            return self.method == "GET" and not self.listing
        return harm not in TO_BODIES or self.length > 0 or self.method == "GET"


Plan = Callable[[Asked], Harm | None]


def well(_: Asked) -> None:
    """Nothing is harmed."""


def once(harm: Harm, where: Callable[[Asked], bool] = lambda _: True) -> Plan:
    """The first request of that kind is harmed."""
    return first(1, harm, where)


def first(count: int, harm: Harm, where: Callable[[Asked], bool] = lambda _: True) -> Plan:
    """The first so many requests of that kind are harmed."""
    left = [count]

    def plan(asked: Asked) -> Harm | None:
        if left[0] > 0 and where(asked) and asked.can_suffer(harm):
            left[0] -= 1
            return harm
        return None

    return plan


def between(begin: int, end: float, harm: Harm) -> Plan:
    """Requests are harmed from the one numbered `begin`, counted from 0, to before `end`."""
    numbers = itertools.count()
    return lambda _: harm if begin <= next(numbers) < end else None


def drawn(seed: object, share: float, harms: Collection[Harm] = PASSING) -> Plan:
    """That share of requests is harmed, by one of the harms that can be done to each."""
    seen: Counter[tuple[str, str]] = Counter()
    lock = threading.Lock()
    order = sorted(harms)

    def plan(asked: Asked) -> Harm | None:
        key = (asked.method, asked.target)
        with lock:
            seen[key] += 1
            chance = random.Random(f"{seed} {key} {seen[key]}")
        if chance.random() >= share:
            return None
        possible = [h for h in order if asked.can_suffer(h)]
        return chance.choice(possible) if possible else None

    return plan
