import os
from pathlib import Path

import pytest

from drorch.adapters.commands import SystemCommands
from tests.fakes.tools import Place


@pytest.fixture
def commands(tmp_path):
    table = tmp_path / ".table"
    table.mkdir()
    made = SystemCommands(f"test-{os.getpid()}-{tmp_path.name}", table)
    yield made
    made.close()


@pytest.fixture
def place(tmp_path, commands):
    folder = tmp_path / "here"
    folder.mkdir()
    secrets = {"token": "s3cret-token", "unused": "never-asked"}
    return Place(Path(folder), commands, secrets, {"AWS_SECRET": "leak", "LC_ALL": "C.UTF-8"})
