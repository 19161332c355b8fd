"""A second site: the control plane of premises, recovered into another folder, with all it needs to work."""

import json
import shutil
from pathlib import Path
from typing import Any

from drorch.app.plane.copying import Copier
from tests.integration.app.planes import WAITING
from tests.integration.app.premises import PASSWORD, Premises, Said


def recovered(premises: Premises, to: Path, *more: str) -> tuple[Premises, Said]:
    """Recover from region mtl on a machine that has the datasets' sources; what was said, too."""
    secrets = premises.folder / "lab" / "secrets"
    (premises.folder / "password").write_text(f"{PASSWORD}\n")
    found = premises.cli(
        *("recover", "--endpoint", premises.regions["mtl"].endpoint, "--bucket", "drorch"),
        *("--access-key-env", "AK", "--secret-key-env", "SK", "--to", str(to)),
        *("--password-file", str(premises.folder / "password"), *more),
        AK=(secrets / "mtl-id").read_text().strip(),
        SK=(secrets / "mtl-secret").read_text().strip(),
    )
    assert found.code == 0, found.errors
    return _site(premises, to), found


def cloned(premises: Premises, to: Path) -> Premises:
    """A copy of everything, as an image of the machine that is started a second time."""
    left = shutil.ignore_patterns("*.store", "servers", "lab")
    shutil.copytree(premises.folder, to, ignore=left, symlinks=True)
    return _site(premises, to)


def _site(premises: Premises, to: Path) -> Premises:
    shutil.copytree(premises.folder / "lab" / "secrets", to / "lab" / "secrets", dirs_exist_ok=True)
    for name in ("src", "dump", "restic"):
        source = premises.folder / name
        if source.is_dir():
            shutil.copytree(source, to / name, dirs_exist_ok=True)
        else:
            shutil.copy2(source, to / name)
    configuration: dict[str, Any] = json.loads((to / "drorch.yaml").read_text())
    configuration.pop("daemon", None)
    site = Premises(to, premises.binary, configuration, premises.regions)
    site.save()
    return site


def copy(premises: Premises) -> None:
    """Its records lie in every region that lives."""
    with premises.program() as program:
        assert "copied" in {one.result for one in Copier(program, WAITING).copy()}
