"""A real Btrfs file system in a file, mounted for a test: needs root, and a kernel that knows Btrfs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.programs import must_have


@contextmanager
def a_btrfs(folder: Path) -> Iterator[Path]:
    """Where it is mounted, in `folder`; unmounted at the end, which frees its loop device too."""
    must_have(_found("mkfs.btrfs"), "btrfs-progs")
    image, mounted = folder / "btrfs.img", folder / "btrfs"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(160 << 20)
    _run("mkfs.btrfs", "-q", str(image))
    said = _mount(image, mounted)
    assert not (said and os.environ.get("CI")), f"CI must be able to mount: {said}"
    if said:
        pytest.skip("this machine lets us mount nothing")
    try:
        yield mounted
    finally:
        _run("umount", str(mounted))


def _mount(image: Path, mounted: Path) -> str:
    """Why not; empty if it is mounted."""
    try:
        _run("mount", "-o", "loop", str(image), str(mounted))
    except subprocess.CalledProcessError as error:
        return str(error.stderr) or "no reason given"
    return ""


def _found(program: str) -> bool:
    folders = (*os.environ["PATH"].split(":"), "/usr/sbin", "/sbin")
    return any(Path(folder, program).exists() for folder in folders)


def _run(*line: str) -> None:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    subprocess.run(line, check=True, capture_output=True, text=True, env={"PATH": path})
