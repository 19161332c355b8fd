"""When slots fall due: APScheduler's timers, one for each schedule there is.

Which slots there are is core/slots.py's to say; whether one was fired is the journal's. A timer that
is late, or fires twice, loses nothing and doubles nothing.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from drorch.core.schedules import Schedule
from drorch.core.slots import next_slot


class SlotTrigger(BaseTrigger):  # type: ignore[misc]
    """APScheduler's trigger of a schedule: its next slot."""

    def __init__(self, schedule: Schedule, zone: tzinfo) -> None:
        self.schedule = schedule
        self.zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first slot after the one before; after now, where that is long past."""
        after = now if previous is None else max(previous, now - timedelta(seconds=1))
        return next_slot(self.schedule, after, self.zone)


class Timer:
    """One timer for each schedule there is: ten thousand datasets share a few of them."""

    def __init__(self, fired: Callable[[Schedule], None]) -> None:
        self._fired = fired
        # Nothing is dropped for being late, and nothing is done in its thread.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.start()

    def set(self, schedules: Iterable[Schedule], zone: tzinfo) -> None:
        """Wait for the slots of these schedules, and for no others any more."""
        self._scheduler.remove_all_jobs()
        for schedule in schedules:
            self._scheduler.add_job(self._fired, SlotTrigger(schedule, zone), args=(schedule,))

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._scheduler.shutdown(wait=False)
