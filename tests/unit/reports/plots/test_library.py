"""The plotting library leaves nothing behind, and draws the same everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DRAWS = """
import sys
from drorch.reports.language import language
from drorch.reports.plots.bars import Bar
from drorch.reports.plots.timeline import Line, Stretch, Timeline, timeline
bars = tuple(Stretch(bar, 9 * n, 9 * n + 8) for n, bar in enumerate(Bar))
value = Timeline("t", "d", (Line("a", stretches=bars, took="9 s"),), 0, 90)
sys.stdout.write(timeline(value, language("fr"))[0].alone())
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, bytes, list[Path]]]:
    """Of two processes, one with a home that cannot be: what they wrote, said and left behind."""
    found = []
    for home in ("home", "gone/home"):
        folder = tmp_path_factory.mktemp("user")
        (folder / "home").mkdir()
        (folder / "tmp").mkdir()
        kept = {k: v for k, v in os.environ.items() if k not in ("MPLCONFIGDIR", "XDG_CACHE_HOME")}
        done = subprocess.run(
            [sys.executable, "-c", DRAWS],
            capture_output=True,
            check=True,
            timeout=120,
            env={**kept, "HOME": str(folder / home), "TMPDIR": str(folder / "tmp")},
        )
        left = [one for one in folder.rglob("*") if one.name not in ("home", "tmp")]
        found.append((done.stdout, done.stderr, left))
    return found


def test_the_same_values_give_the_same_bytes(drawn) -> None:
    assert drawn[0][0].startswith(b"<svg")
    assert drawn[0][0] == drawn[1][0]


def test_no_list_of_fonts_is_left_and_nothing_is_said(drawn) -> None:
    assert [(said, left) for _, said, left in drawn] == [(b"", []), (b"", [])]
