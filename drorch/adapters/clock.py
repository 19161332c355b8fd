"""Time as this machine knows it: wall clock in UTC, and the boot clock that never steps."""

import time
from datetime import UTC, datetime
from functools import cache

from drorch.adapters.reaper import boot_id
from drorch.core.moment import Moment


class SystemClock:
    """The machine's clocks. The boot clock goes on while the machine is suspended."""

    def now(self) -> Moment:
        """The present moment."""
        return Moment(datetime.now(UTC), _boot(), time.clock_gettime(time.CLOCK_BOOTTIME))


@cache
def _boot() -> str:
    return boot_id()
