"""`drorch --help` beside what importing click alone takes."""

import sys
from collections.abc import Iterator, Sequence

from bench.figures import Bound, Figure, interleaved
from bench.processes import environment, run
from bench.yard import ROOT, Yard, console_script

#: In times of `python -c 'import click'`.
_BOUND = 2.5


def measure_help(yard: Yard) -> Iterator[Figure]:
    """By the module, by the console script where there is one, and Python's own start."""
    env = environment(PYTHONPATH=str(ROOT))

    def wall(argv: Sequence[str]) -> float:
        return 1000 * run(argv, env=env, cwd=yard.disk, log=yard.log).wall

    module = [sys.executable, "-m", "drorch", "--help"]
    contenders = {
        "click": lambda: wall([sys.executable, "-c", "import click"]),
        "module": lambda: wall(module),
        "bare": lambda: wall([sys.executable, "-c", "pass"]),
    }
    script = console_script()
    if script is not None:
        contenders["script"] = lambda: wall([str(script), "--help"])
    taken = interleaved(contenders, 10 if yard.quick else 20, warm_up=True)
    named = {"script": "drorch --help", "module": "python -m drorch --help"}
    for name in [n for n in named if n in taken]:
        yield Figure(
            named[name],
            taken[name],
            "ms",
            taken["click"],
            "python -c 'import click'",
            Bound(_BOUND),
        )
    yield Figure("python -c 'import click'", taken["click"], "ms", taken["bare"], "python -c pass")
