"""What a service manager is told of us: ready, reloading, stopping, how it stands, still alive.

The protocol is one datagram of lines to the socket named by NOTIFY_SOCKET (sd_notify(3)); a
watchdog is announced by WATCHDOG_USEC (sd_watchdog_enabled(3)). Without these nobody is told
anything, and that is no error.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from drorch.core.phrases import one_line

#: A service manager that does not read must not hold us up; systemd's own queue is long.
_PATIENCE = 1.0
#: A status is a line in `systemctl status`, not a report.
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """systemd, or whoever started us and wants to know.

    `address` is the socket's path (`@…` is an abstract one), None if nobody listens. `watchdog`
    is the time within which it wants a sign of life, again and again; None if it does not.

    Every word returns whether it was taken; none raises: a run is worth more than its announcement.
    """

    address: str | None = None
    watchdog: timedelta | None = None

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int | None = None) -> "ServiceManager":
        """As the environment of this process (or the one with `pid`) tells."""
        address = environment.get("NOTIFY_SOCKET", "")
        # What begins otherwise is not on this machine (vsock:).
        return cls(
            address if address[:1] in ("/", "@") and len(address) > 1 else None,
            _watchdog(environment, os.getpid() if pid is None else pid),
        )

    def ready(self, status: str = "") -> bool:
        """Start-up, or the reload that `reloading` announced, is done."""
        return self._send("READY=1", *_status(status))

    def reloading(self, status: str = "") -> bool:
        """The configuration is being read anew; `ready` says when that is done."""
        # Type=notify-reload takes only what was said after it sent the signal.
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return self._send("RELOADING=1", f"MONOTONIC_USEC={now}", *_status(status))

    def stopping(self, status: str = "") -> bool:
        """The end has begun."""
        return self._send("STOPPING=1", *_status(status))

    def status(self, text: str) -> bool:
        """How it stands, in one line for people."""
        return self._send(*_status(text))

    def alive(self) -> bool:
        """A sign of life for the watchdog; due at least every half of `watchdog`."""
        return self.watchdog is not None and self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> bool:
        if self.address is None or not lines:
            return False
        place = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.settimeout(_PATIENCE)
                out.sendto("\n".join(lines).encode(), place)
        except (OSError, ValueError):
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    return (f"STATUS={one_line(text)[:_LONGEST]}",) if text else ()


def _watchdog(environment: Mapping[str, str], pid: int) -> timedelta | None:
    """The interval meant for this process; what a parent was told is not for its children."""
    given = environment.get("WATCHDOG_USEC", "")
    meant_for = environment.get("WATCHDOG_PID", str(pid))
    if not given.isdecimal() or int(given) == 0 or meant_for != str(pid):
        return None
    return timedelta(microseconds=int(given))
