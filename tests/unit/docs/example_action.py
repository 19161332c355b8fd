"""The example package of docs/writing-actions.md, taken from the page and installed in a folder."""

import tomllib
import types
from pathlib import Path

from drorch.core.action import ActionSpec
from tests.unit.docs.action_pages import PAGE
from tests.unit.docs.pages import blocks


def texts() -> tuple[str, str, str]:
    """The package's pyproject.toml, its module, and the runbook that uses it."""
    found = []
    for language in ("toml", "python", "yaml"):
        (block,) = blocks(PAGE, language)
        found.append(block.text)
    return found[0], found[1], found[2]


def package() -> dict[str, ActionSpec]:
    """What its actions promise, by the names of its entry points."""
    project, source, _ = texts()
    module = types.ModuleType("example")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    points = tomllib.loads(project)["project"]["entry-points"]["drorch.actions"]
    return {n: getattr(module, place.partition(":")[2]).spec for n, place in points.items()}


def install(folder: Path) -> None:
    """As an installer leaves it: the module, and beside it what importlib.metadata reads."""
    project, source, _ = texts()
    told = tomllib.loads(project)["project"]
    name, version = told["name"].replace("-", "_"), told["version"]
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {version}\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    points = [
        line
        for group, named in told["entry-points"].items()
        for line in (f"[{group}]", *(f"{point} = {place}" for point, place in named.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(points) + "\n", encoding="utf-8")
