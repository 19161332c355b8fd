"""A process that takes over a run, and stops for a word right after it has read the journal.

    python -m tests.e2e.rival CONFIGURATION RUN

It says `looked` on stdout, waits for a line on stdin, and goes on. So two of them can both come
to believe that the run is theirs, which otherwise takes a rare coincidence.
"""

import sys
from pathlib import Path

from drorch.adapters.commands import SystemCommands
from drorch.app.program import Program
from drorch.app.runs import Control, resume
from drorch.core.errors import DrorchError, render_error


class Hesitating(SystemCommands):
    """Real commands; only the first thing that is done for a dead owner waits for a word."""

    def reap(self, owner: str) -> int:
        print("looked", flush=True)
        sys.stdin.readline()
        return super().reap(owner)


def main(configuration: str, run: str) -> int:
    program = Program.open(Path(configuration))
    program.__dict__["commands"] = Hesitating(program.token)  # before its first use
    try:
        return int(resume(program, run, control=Control()).exit_code)
    except DrorchError as error:
        print(render_error(error), file=sys.stderr)
        return int(error.exit_code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
