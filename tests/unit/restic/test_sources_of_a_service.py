"""What a service may read that is no root, but has the capability to read everything."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from drorch.core.errors import ResticError
from drorch.restic.sources import check_sources

SOURCE = Path(__file__).parents[3]
NOBODY = 65534
LOOK = """
import sys
from pathlib import Path
from drorch.core.errors import ResticError
from drorch.restic.sources import check_sources
for path in sys.argv[1:]:
    try:
        check_sources([Path(path)])
        print("good")
    except ResticError as error:
        print(error.cause)
"""


@pytest.fixture
def closed():
    """A folder and a file that only root may read, in one that everybody may enter."""
    if os.getuid() != 0:
        assert not os.environ.get("CI"), "CI must be root"
        pytest.skip("only root can be somebody else")
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        folder, file = Path(made) / "folder", Path(made) / "file"
        folder.mkdir(mode=0o700)
        file.write_text("secret")
        file.chmod(0o600)
        yield [folder, file]


def test_the_capability_counts(closed):
    told = subprocess.run(
        [
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
            *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
            *("--", sys.executable, "-c", LOOK, *map(str, closed)),
        ],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["good", "good"]


def test_without_it_root_s_own_is_refused(closed):
    """Of this process's thread alone: file access goes by its effective user."""
    causes = []
    os.seteuid(NOBODY)
    try:
        for path in closed:
            with pytest.raises(ResticError) as caught:
                check_sources([path])
            causes.append((caught.value.cause, caught.value.message))
    finally:
        os.seteuid(0)
    assert causes == [("source-unreadable", f"{path} may not be read") for path in closed]
