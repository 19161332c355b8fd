"""What functions import is imported beforehand where threads run side by side."""

import ast
from pathlib import Path

import drorch
from drorch.app.preload import MODULES

PACKAGE = Path(drorch.__file__).parent

#: Where commands alone import, each in a process of its own.
COMMANDS_ONLY = ("cli", "lab", "share", "daemon", "metrics")

#: Imported by commands that print papers, rehearse or verify, or before any thread is there; botocore and
#: urllib3 have their own place (storage/loading.py), Apprise is loaded where a channel needs it, and
#: matplotlib by one thread at a time (reports/plots/library.py).
ELSEWHERE = (
    "apprise",
    "babel",
    "botocore",
    "drorch.actions.byhand",
    "drorch.app.quarters",
    "drorch.config.rehearsals",
    "drorch.engine.rehearsing",
    "drorch.journal.alchemy",
    "drorch.journal.migrating",
    "drorch.notify.by_apprise",
    "drorch.reports.paper",
    "drorch.reports.quarter",
    "drorch.storage.loading",
    "markupsafe",
    "matplotlib",
    "multiprocessing",
    "shamir_mnemonic",
    "typst",
    "urllib3",
)


def lazily_imported() -> dict[str, str]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.relative_to(PACKAGE).parts[0] in COMMANDS_ONLY:
            continue
        functions = [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        ]
        for node in (inner for function in functions for inner in ast.walk(function)):
            if isinstance(node, ast.ImportFrom) and node.module:
                found[node.module] = path.name
            elif isinstance(node, ast.Import):
                found.update({alias.name: path.name for alias in node.names})
    return found


def test_nothing_that_threads_import_is_left_out():
    missing = {
        module: path
        for module, path in lazily_imported().items()
        if module not in MODULES
        and module not in ("drorch.config", "drorch.app.preload")
        and not any(module == other or module.startswith(f"{other}.") for other in ELSEWHERE)
    }
    assert not missing, "import them in app/preload.py, too"
