"""Places by their codes (ISO 3166-1 and 3166-2), and which of them lie in which. Pure."""

from functools import cache
from typing import Final

#: ISO 3166-1 codes of the member states of the European Union, 2026.
EU_MEMBERS: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "HR",
        "CY",
        "CZ",
        "DK",
        "EE",
        "FI",
        "FR",
        "DE",
        "GR",
        "HU",
        "IE",
        "IT",
        "LV",
        "LT",
        "LU",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SK",
        "SI",
        "ES",
        "SE",
    ]
)


@cache
def jurisdiction_within(jurisdiction: str, residency: tuple[str, ...]) -> bool:
    """Whether a place (ISO 3166-2) lies inside a residency.

    `CA` covers every `CA-*`; `EU` covers the member states. An empty residency allows all.
    """
    country = jurisdiction.split("-", 1)[0]
    return not residency or any(
        r in (jurisdiction, country) or (r == "EU" and country in EU_MEMBERS) for r in residency
    )
