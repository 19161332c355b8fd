"""Where the words of a line go: full disks, files that may not grow, closed outputs, readers who leave."""

import os
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

#: Tables, a document, a raw report, a text by click, and a verb's own text.
LINES = (
    "config check",
    "run list",
    "run list --json",
    "report schema",
    "run --help",
    "--version",
    "completion bash",
)


HINT = (
    "hint: what stands there is not whole: see that it can be written and has room; "
    "what was done is done and on record"
)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "drorch.yaml").write_text("organization: Sainte-Rive\n")
    return tmp_path


def drorch(place: Path, line: str, **how) -> subprocess.CompletedProcess:
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
    unbuffered = settings.pop("unbuffered", False)
    return subprocess.run(
        [sys.executable, "-m", "drorch", *line.split()],
        cwd=place,
        # Without room Python keeps half of what it compiled, and stumbles over that for ever after.
        env={"PATH": os.environ["PATH"], "HOME": str(place), "PYTHONPATH": str(ROOT)}
        | {"PYTHONDONTWRITEBYTECODE": "1"}
        | ({"PYTHONUNBUFFERED": "1"} if unbuffered else {}),
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
        **settings,
    )


def told(why: str) -> list[str]:
    return [
        f"error: what was to be printed could not be written: {why}",
        HINT,
    ]


@pytest.mark.parametrize("line", LINES)
def test_what_does_not_fit_on_a_full_disk_is_an_error(place, line):
    with Path("/dev/full").open("w") as full:
        done = drorch(place, line, stdout=full)
    assert (done.returncode, done.stderr.splitlines()) == (1, told("No space left on device"))


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("line", ["config schema", "report schema"])
def test_what_fits_in_part_is_an_error(place, line, unbuffered):
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1000, 1000))
    with (place / "part").open("w") as out:
        done = drorch(place, line, stdout=out, unbuffered=unbuffered, preexec_fn=limit)
    assert (done.returncode, done.stderr.splitlines()) == (1, told("File too large"))


@pytest.mark.parametrize("line", ["run list", "run list --json", "report schema"])
def test_a_closed_output_is_an_error(place, line):
    done = drorch(place, line, stdout=None, preexec_fn=partial(os.close, 1))
    assert (done.returncode, done.stderr.splitlines()) == (1, told("Bad file descriptor"))


@pytest.mark.parametrize("line", ["config check", "run list --json", "report schema"])
def test_a_reader_who_leaves_is_none(place, line):
    reading, writing = os.pipe()
    os.close(reading)
    done = drorch(place, line, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_graver_end_keeps_its_code(place):
    with Path("/dev/full").open("w") as full:
        done = drorch(place, "run show nothing --json", stdout=full)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == told("No space left on device")
