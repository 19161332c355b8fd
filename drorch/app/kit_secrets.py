"""The secrets of a recovery kit: gathered for it, sealed for several holders, opened again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from drorch.app.program import Program
from drorch.core.errors import ConfigurationError, Problem, UsageError
from drorch.core.kit import kit_regions, needed_secrets
from drorch.core.lettered import NotLettered, lettered, unlettered
from drorch.core.model import Configuration, Region
from drorch.core.plane import plane_password, plane_regions
from drorch.sealing.shares import MOST, NotJoined, joined_key, shared_key
from drorch.sealing.vault import NewerFormat, NotOpened, seal, unseal

#: What a kit is sealed as: another sealed object does not open in its place.
_NAME = "recovery-kit"
_NEWER = "it was made by a newer drorch: install that one, or a newer one"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The values by name, and why others are left out."""

    values: Mapping[str, str] = field(repr=False)
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Lines that hold the secrets, and the words of each holder, of whom `needed` open them."""

    lines: tuple[str, ...]
    shares: tuple[str, ...] = field(repr=False)
    needed: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What a kit gives: regions with drorch's records, the name of their password, secrets by name."""

    organization: str
    regions: tuple[Region, ...]
    password: str
    secrets: Mapping[str, str] = field(repr=False)


def gathered(program: Program) -> Gathered:
    """Every secret that can be had, but for the key that seals the evidence: who holds paper must
    not be able to forge it.

    ConfigurationError with all those that reading the copies takes and cannot be had.
    """
    configuration = program.configuration
    needed = {one.file for one in needed_secrets(configuration)}
    values: dict[str, str] = {}
    left_out: dict[str, str] = {}
    problems: list[Problem] = []
    for name in configuration.secrets:
        if name == configuration.evidence.key:
            left_out[name] = "it seals the evidence: make a new one"
            continue
        try:
            values[name] = program.secrets.get(name)
        except ConfigurationError as error:
            left_out[name] = error.message
            problems += error.problems if name in needed else ()
    if problems:
        raise ConfigurationError(problems)
    return Gathered(values, left_out)


def check_shares(holders: int | None, needed: int | None) -> None:
    """UsageError for numbers that share nothing."""
    if holders is None and needed is None:
        return
    if holders is None or needed is None:
        raise UsageError("--shares and --needed go together", "such as: --shares 5 --needed 3")
    if not 2 <= needed <= holders <= MOST:
        raise UsageError(
            f"{needed} of {holders} is no way to share a kit",
            f"at least 2 are needed, of at most {MOST}: --shares 5 --needed 3",
        )


def sealed(
    configuration: Configuration, values: Mapping[str, str], holders: int, needed: int
) -> Sealed:
    """The secrets, sealed with a new key that `needed` of the holders have together."""
    key, shares = shared_key(holders, needed)
    document = {
        "format": 1,
        "organization": configuration.organization,
        "password": plane_password(configuration) or "",
        "regions": [_region(region) for region in _recovering(configuration)],
        "secrets": dict(values),
    }
    plain = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return Sealed(lettered(seal(key, _NAME, plain)), shares, needed)


def _recovering(configuration: Configuration) -> Sequence[Region]:
    if plane_password(configuration) is None:
        return ()
    planes = plane_regions(configuration)
    return [region for region in kit_regions(configuration) if region in planes]


def _region(region: Region) -> dict[str, str]:
    return {
        "name": region.name,
        "endpoint": region.endpoint,
        "bucket": region.bucket,
        "prefix": region.prefix,
        "location": region.location,
        "jurisdiction": region.jurisdiction,
        "access_key": region.access_key or "",
        "secret_key": region.secret_key or "",
    }


def opened(text: str, shares: Mapping[str, str]) -> Opened:
    """What the kit's lines hold, joined by shares; UsageError with everything that is wrong."""
    problems: list[str] = []
    data, key = b"", b""
    try:
        data = unlettered(text)
    except NotLettered as error:
        problems += [f"the kit: {one}" for one in error.problems]
    try:
        key = joined_key(shares)
    except NotJoined as error:
        problems += error.problems
    if problems:
        raise ConfigurationError(
            [
                Problem(
                    one, "look at the sheets: type anew what was mistyped, or call another holder"
                )
                for one in problems
            ]
        )
    try:
        found = json.loads(unseal(key, _NAME, data))
    except NewerFormat:
        raise UsageError("the kit cannot be opened here", _NEWER) from None
    except NotOpened:
        raise UsageError(
            "the shares do not open this kit",
            "they are of another: compare what stands on the sheets",
        ) from None
    if found.get("format") != 1:
        raise UsageError("the kit cannot be opened here", _NEWER)
    regions = tuple(map(_of_region, found["regions"]))
    return Opened(found["organization"], regions, found["password"], found["secrets"])


def _of_region(told: Mapping[str, str]) -> Region:
    return Region(
        name=told["name"],
        endpoint=told["endpoint"],
        bucket=told["bucket"],
        jurisdiction=told["jurisdiction"],
        prefix=told["prefix"],
        location=told["location"],
        access_key=told["access_key"] or None,
        secret_key=told["secret_key"] or None,
    )
