"""What is known of recovery kits that were made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class KitMade:
    """A kit was made: what it said, part by part (SHA-256), and by whom.

    `secrets` are the names of those whose values stood in it; `holders` of them, of whom `needed`
    together open it (0: they stood there openly, or none did).
    """

    at: datetime
    by: str
    digest: str
    parts: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    holders: int = 0
    needed: int = 0
