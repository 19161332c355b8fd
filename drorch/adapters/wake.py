"""Waking a thread that waits in a selector when its attempt is cancelled."""

import os
import threading
from types import TracebackType
from typing import Self

from drorch.ports import Cancellation


class Wake:
    """A file handle that becomes readable when the attempt is cancelled; a context manager.

    The lock keeps a cancellation that is under way in another thread from writing to a handle
    which we have closed meanwhile and which may be somebody else's by now.
    """

    def __init__(self, cancel: Cancellation) -> None:
        self._lock = threading.Lock()
        self._open = True
        self.handle = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._forget = cancel.on_cancel(self._ring)

    def _ring(self) -> None:
        with self._lock:
            if self._open:
                os.eventfd_write(self.handle, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._forget()
        with self._lock:
            self._open = False
            os.close(self.handle)
