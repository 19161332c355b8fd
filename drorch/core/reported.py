"""What is known of reports that were sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReportSent:
    """The report of a quarter (2026Q4) was taken by a recipient, named as channels are.

    `files` are names to SHA-256 (hex) of what was sent.
    """

    quarter: str
    channel: str
    at: datetime
    files: Mapping[str, str]
