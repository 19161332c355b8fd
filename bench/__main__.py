"""`python -m bench`: take figures, side by side in one run. Exits 0 whatever they are."""

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine
from bench.backup import measure_backup, measure_far, measure_memory, measure_mirrored
from bench.daemon import measure_daemon
from bench.durable import measure_durable, measure_succession, measure_waiting
from bench.figures import Broken, Figure, LeftOut
from bench.inside import measure_engine, measure_journal
from bench.mirror import measure_mirror
from bench.objects import measure_objects
from bench.plane import measure_plane
from bench.printing import Taken, as_document, as_lines
from bench.quarter import measure_quarter
from bench.restore import measure_restore
from bench.scrub import measure_scrub
from bench.start import measure_help
from bench.steps import measure_steps
from bench.steps import versions as versions_beside
from bench.yard import QUICK, Amount, Yard
from drorch import __version__
from drorch.core.errors import DrorchError
from drorch.lab.rclone import binary as rclone

Benchmark = Callable[[Yard], Iterable[Figure]]

BENCHMARKS: Mapping[str, Benchmark] = {
    "help": measure_help,
    "engine": measure_engine,
    "journal": measure_journal,
    "durable": measure_durable,
    "succession": measure_succession,
    "waiting": measure_waiting,
    "steps": measure_steps,
    "backup": measure_backup,
    "mirrored": measure_mirrored,
    "far": measure_far,
    "mirror": measure_mirror,
    "restore": measure_restore,
    "scrub": measure_scrub,
    "memory": measure_memory,
    "objects": measure_objects,
    "daemon": measure_daemon,
    "quarter": measure_quarter,
    "plane": measure_plane,
}


def main() -> int:
    """Measure what is asked for and print it; 1 only where something did not work."""
    options = _options()
    restic = shutil.which(options.restic)
    if restic is None:
        print(f"error: there is no {options.restic}", file=sys.stderr)
        print("hint: install restic, or name one with --restic", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    amount = QUICK if options.quick else Amount(repetitions=options.repetitions)
    names = options.only or list(BENCHMARKS)
    before = machine.load()
    with Yard(str(Path(restic).resolve()), amount, options.quick) as yard:
        taken: list[Taken] = []
        interrupted = False
        try:
            taken.extend(_measured(yard, names))
        except KeyboardInterrupt:
            interrupted = True
            print("interrupted: what was taken so far", file=sys.stderr)
        facts = _facts(yard, before, names)
    if options.json:
        print(json.dumps(as_document(facts, taken), indent=2, ensure_ascii=False))
    else:
        print("\n".join(as_lines(facts, taken)))
    if interrupted:
        return 130
    return int(any(one.broken for one in taken))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        choices=list(BENCHMARKS),
        metavar="NAME",
        help=f"only this benchmark; may be given again: {', '.join(BENCHMARKS)}",
    )
    parser.add_argument("--quick", action="store_true", help="less data, one repetition")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--repetitions", type=int, default=3, help="of backups; default 3")
    parser.add_argument("--restic", default="restic", help="which restic; default: that on PATH")
    return parser.parse_args()


def _measured(yard: Yard, names: Iterable[str]) -> Iterator[Taken]:
    for name in names:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        figures: list[Figure] = []
        try:
            for figure in BENCHMARKS[name](yard):
                figures += [figure]
        except LeftOut as why:
            yield Taken(name, figures, str(why))
        except Broken as why:
            yield Taken(name, figures, str(why), broken=True)
        except DrorchError as why:
            yield Taken(name, figures, f"{why.message}; {why.hint}", broken=True)
        else:
            yield Taken(name, figures)


def _facts(yard: Yard, before: list[float], names: Iterable[str]) -> dict[str, Any]:
    used = set(names)
    versions = {"drorch": __version__, "python": machine.python()}
    versions |= machine.packages("click", "sqlalchemy", "pydantic", "boto3")
    if used & {"backup", "mirrored", "mirror", "scrub", "memory"}:
        versions["restic"] = machine.version_of([yard.restic, "version"])
        versions["rclone"] = machine.version_of([str(rclone()), "version"])
    if "steps" in used:
        versions |= versions_beside()
    amount = yard.amount
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": machine.cores(),
        "memory": f"{machine.memory_mb()} MB",
        "load before": before,
        "load after": machine.load(),
        "data": f"{amount.files} files, {amount.total // 1_000_000} MB, "
        f"{amount.repetitions} repetition(s)",
        "places": yard.places,
        "versions": versions,
    }


if __name__ == "__main__":
    sys.exit(main())
