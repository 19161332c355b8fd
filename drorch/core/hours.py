"""Hours of the day as people write them: `06:00-22:00`, local time of the configuration."""

import re
from dataclasses import dataclass
from datetime import time

_WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Hours:
    """From `begin`, included, to `end`, not included; over midnight where it ends earlier.

    Where both are the same it is the whole day.
    """

    begin: time
    end: time

    def hold(self, at: time) -> bool:
        """Whether this local time is within."""
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


def parse_hours(text: str) -> Hours:
    """The hours; ValueError with a sentence if the text is none."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError(f"{text!r} is not a window")
    numbers = [int(number) for number in written.groups()]
    return Hours(time(numbers[0], numbers[1]), time(numbers[2], numbers[3]))
