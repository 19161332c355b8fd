"""Processes of our own that work beside this one; they end with it, however it ends."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

#: More are not kept busy by what one process has left to do.
_MOST = 4


@contextmanager
def crew() -> Iterator[Executor | None]:
    """As many as there are processors besides this one's; None where there is one only. They are
    started with the first work.
    """
    others = min(len(os.sched_getaffinity(0)) - 1, _MOST)
    if others < 1:
        yield None
        return
    # Loaded for those who need it alone.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Not forked: threads may hold locks now that nobody would ever let go of there.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(others, mp_context=context, initializer=_attend)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _attend() -> None:
    """Ctrl-C is for the parent, which ends us; if it is killed nobody does, so we look ourselves."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
