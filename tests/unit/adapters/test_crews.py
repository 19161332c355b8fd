"""Processes that work beside this one end with it, however it ends."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from drorch.adapters.crews import crew
from tests.integration.app.seeing import marked, wait_for

#: Has others at work, says so, and waits for them for ever.
_PARENT = """\
import time
from drorch.adapters.crews import crew

if __name__ == "__main__":
    with crew() as others:
        ready = others.submit(pow, 2, 2).result()
        others.submit(time.sleep, 1000)
        print(ready, flush=True)
        others.submit(pow, 2, 2).result()
"""


def test_work_is_done_elsewhere() -> None:
    with crew() as others:
        assert others is not None, "these tests need two processors"
        assert others.submit(os.getpid).result() != os.getpid()
        with pytest.raises(ZeroDivisionError):
            others.submit(divmod, 1, 0).result()


def test_with_one_processor_there_is_nobody_else() -> None:
    with ThreadPoolExecutor(1) as thread:  # affinity is each thread's own

        def alone() -> bool:
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            with crew() as others:
                return others is None

        assert thread.submit(alone).result()


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_who_is_killed_leaves_nobody_behind(tmp_path: Path, by: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    token = f"crew-{os.getpid()}-{time.monotonic_ns()}"
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={**os.environ, "DRORCH_OWNER": token},
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"4\n"
        assert len(marked(token)) >= 2
        parent.send_signal(by)
    wait_for(lambda: not marked(token))
