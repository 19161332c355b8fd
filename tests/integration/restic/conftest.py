"""Real restic binaries: the installed one, and every one in the folder $DRORCH_RESTIC_VERSIONS."""

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from drorch.adapters.commands import SystemCommands
from drorch.restic.client import Restic
from drorch.restic.repository import RepositoryAddress
from drorch.restic.results import BackupDone
from tests.integration.app.quick_keys import quicken


def binaries():
    """One path for each version, the folder's before the installed one."""
    folder = os.environ.get("DRORCH_RESTIC_VERSIONS")
    found = sorted(Path(folder).glob("restic-*")) if folder else []
    installed = shutil.which("restic")
    named = {p.name for p in found}
    if installed is not None and f"restic-{_version_of(installed)}" not in named:
        found.append(Path(installed))
    return found


def _version_of(binary):
    commands = SystemCommands(uuid.uuid4().hex)
    try:
        version = Restic(commands, os.environ, binary=binary).capabilities().version
    finally:
        commands.close()
    return version


@dataclass(frozen=True)
class Ward:
    """A source of many kinds of files, a repository that holds it, and a restic to drive."""

    folder: Path
    source: Path
    address: RepositoryAddress
    restic: Restic
    commands: SystemCommands
    first: BackupDone
    binary: Path

    def repository_files(self, kind: str) -> list[Path]:
        return sorted(p for p in (self.folder / "repo" / kind).rglob("*") if p.is_file())


@pytest.fixture(scope="session")
def commands():
    made = SystemCommands(uuid.uuid4().hex)
    yield made
    made.close()


@pytest.fixture(scope="session", params=binaries(), ids=lambda p: p.name)
def template(request, commands, tmp_path_factory):
    """Made once for each version, as every start of restic costs a second."""
    folder = tmp_path_factory.mktemp("template")
    source = folder / "source"
    (source / "wards" / "north").mkdir(parents=True)
    (source / "wards" / "north" / "a.txt").write_text("north\n")
    (source / "scan.bin").write_bytes(os.urandom(700_000))
    (source / "été [1]*.txt").write_text("été\n")
    (source / "empty").mkdir()
    (source / "link").symlink_to("wards/north/a.txt")
    (source / "outside").symlink_to("/etc")
    (source / "sealed.txt").write_text("x")
    (source / "sealed.txt").chmod(0o400)
    restic = Restic(commands, os.environ, binary=str(request.param), cache=folder / "cache")
    address = RepositoryAddress(str(folder / "repo"), "correct horse battery")
    restic.init(address)
    quicken([folder / "repo" / "keys"], address.password)
    first = restic.backup(address, host="ehr", paths=[source], tags=["drorch"])
    return Ward(folder, source, address, restic, commands, first, request.param)


@pytest.fixture
def ward(template, tmp_path):
    """A copy of the template's repository and warm cache, to do anything to."""
    for part in ("repo", "cache"):
        shutil.copytree(template.folder / part, tmp_path / part)
    for file in (tmp_path / "repo").rglob("*"):
        file.chmod(0o700)
    binary = template.binary
    restic = Restic(template.commands, os.environ, binary=str(binary), cache=tmp_path / "cache")
    address = RepositoryAddress(str(tmp_path / "repo"), template.address.password)
    commands, first = template.commands, template.first
    return Ward(tmp_path, template.source, address, restic, commands, first, binary)
