"""A process that carries out command lines, each at the very moment it is handed one.

    python -m tests.e2e.starter

It says `ready` once everything is loaded that loading takes time. Each line on stdin is a JSON
list of words; for each, a JSON object with `code` and `errors` is said. So two of them can be
started on one run within a fraction of a millisecond.
"""

import contextlib
import importlib
import io
import json
import sys

from drorch.cli.main import carry_out

_SLOW = (
    "drorch.adapters.commands",
    "drorch.app.answering",
    "drorch.app.drills",
    "drorch.app.reports",
    "drorch.cli.carrying",
    "drorch.config.load",
    "drorch.journal.alchemy",
    "drorch.reports.html",
)


def main() -> None:
    for name in _SLOW:
        importlib.import_module(name)
    ours = sys.stdout
    print("ready", flush=True)
    for line in sys.stdin:
        errors = io.StringIO()
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
            code = carry_out(json.loads(line))
        print(json.dumps({"code": code, "errors": errors.getvalue()}), file=ours, flush=True)


if __name__ == "__main__":
    main()
