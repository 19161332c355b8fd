"""drorch on a machine whose wall clock somebody sets: by so many seconds as a file says.

    python -m tests.e2e.lying FILE ARGUMENTS...

Only the wall clock is set, as date(1) would; the boot clock and all else is the machine's own.
"""

import sys
from datetime import timedelta
from pathlib import Path

from drorch.adapters import clock
from drorch.cli.main import main
from drorch.core.moment import Moment


class Lying(clock.SystemClock):
    """The machine's clocks, the wall clock as it was set."""

    def now(self) -> Moment:
        true = super().now()
        by = timedelta(seconds=float(Path(sys.argv[1]).read_text()))
        return Moment(true.at + by, true.boot, true.ticks)


if __name__ == "__main__":
    clock.SystemClock = Lying  # type: ignore[misc] # the one door of time
    main(sys.argv[2:])
