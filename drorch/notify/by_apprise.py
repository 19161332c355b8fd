"""The one door to Apprise, which knows the services: mail, Slack, Teams, Matrix, SMS and a hundred more.

Importing it takes a noticeable part of a second, so it waits until somebody has to be told. It says only
whether a message went out; why it did not, it writes to its log, which is listened to here.
"""

import logging
import re
import threading
from datetime import timedelta

from drorch.core.telling import Message

_FAILED = "it did not take the message, and does not say why"


#: How the lines begin, or go on, that say what went wrong below: they are for debugging only.
_EXCEPTION = "Exception: "


class _Ear(logging.Handler):
    """Hears what Apprise says in one thread: warnings and worse, and the exceptions behind them."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._thread = threading.get_ident()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        if record.thread != self._thread:
            return
        said = record.getMessage()
        if record.levelno >= logging.WARNING or _EXCEPTION in said:
            self.heard.append(said)


def tell(address: str, message: Message, limit: timedelta) -> str:
    """Send once to an Apprise URL; why it did not go out, empty if it did.

    What is said may repeat parts of the address: it must be redacted. `limit` bounds each
    connection, not all of it together: whoever calls gives up by itself.
    """
    import apprise

    log = logging.getLogger("apprise")
    # Else what it says goes to standard error as well, unredacted.
    log.propagate = False
    log.setLevel(logging.DEBUG)
    ear = _Ear()
    log.addHandler(ear)
    try:
        seconds = limit.total_seconds()
        service = apprise.Apprise.instantiate(address)
        if service is None:
            return _reason(ear, "it is no address that Apprise knows")
        service.socket_connect_timeout = service.socket_read_timeout = seconds
        if message.files and not service.attachment_support:
            # It would send the text alone, and only debug its log that the files stayed here.
            return f"{service.service_name} takes no files"
        sent = service.notify(
            title=message.title,
            body=message.body,
            notify_type=apprise.NotifyType(message.tone),
            body_format=apprise.NotifyFormat.TEXT,  # else a mail runs its lines together
            attach=[str(path) for path in message.files] or None,
        )
        return "" if sent else _reason(ear, _FAILED)
    except Exception as error:  # noqa: BLE001 - a hundred plugins; none may end the run
        return f"{type(error).__name__}: {error}"
    finally:
        log.removeHandler(ear)


def _reason(ear: _Ear, otherwise: str) -> str:
    """What was heard; of an operating system's error, wrapped by three libraries, its own words."""
    heard = " ".join("; ".join(ear.heard).split())
    errors = re.findall(r"\[Errno -?\d+\] ([^'\")\]]+)", heard)
    return f"{ear.heard[0]} {errors[-1]}" if errors else heard or otherwise
