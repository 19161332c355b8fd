"""Small looks at what runs left: their steps and findings, files, processes."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: How long anything may take before a test gives up on it; never waited for when all is well.
PATIENCE = 90.0


def step(run: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One step of a run's document."""
    (found,) = [s for s in run["steps"] if s["step"] == name]
    return dict(found)


def findings(run: Mapping[str, Any]) -> list[str]:
    """The kinds of a run's findings."""
    return [f["what"] for f in run["findings"]]


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, and every file's content."""
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def wait_for(condition: Any) -> None:
    """Until it holds; fails the test if it never does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.01)


def marked(token: str) -> list[int]:
    """Living processes that carry an owner's token."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            mark = f"DRORCH_OWNER={token}".encode() in (entry / "environ").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if mark and state not in "ZX":
            found.append(int(entry.name))
    return found
