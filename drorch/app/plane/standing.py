"""How far each region's copies of the control plane have come: one small file beside the state.

Nothing rests on it: without it the regions are asked, and new streams are begun.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from drorch.adapters.evidence import make_private
from drorch.adapters.exclusive import exclusive
from drorch.core.document import rfc3339
from drorch.core.errors import DrorchError
from drorch.core.model import Configuration
from drorch.core.plane import BEGINNING, Point

_STEP = 0.02


@dataclass(frozen=True, slots=True)
class Place:
    """One region's copies: the stream that is written, and how far it goes.

    `number` is the last segment's, `until` where it ends, `files` the digest of what it last told of
    files, `late` the numbers of events that may still come. `at` is when it last had everything,
    `began_at` when it was first written to, `tried_at` when it was last tried, `why` and `hint` why
    that failed. `whole` is where its newest whole state ends, `whole_late` the numbers that it lacks,
    `whole_at` when it was taken; `covered` is the number of the last segment that it covers, of the
    newest of `streams` at that time. `streams` are all that were begun here. `damaged` are objects of
    whole states that are so, and could not be brought back.
    """

    stream: str = ""
    number: int = 0
    until: Point = BEGINNING
    files: str = ""
    late: tuple[int, ...] = ()
    keyed: bool = False
    at: datetime | None = None
    tried_at: datetime | None = None
    why: str = ""
    hint: str = ""
    began_at: datetime | None = None
    whole: Point = BEGINNING
    whole_late: tuple[int, ...] = ()
    whole_at: datetime | None = None
    whole_files: str = ""
    covered: tuple[str, int] = ("", 0)
    streams: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vault:
    """The key that is sealed with here, and the file that gives it to whoever knows the passphrase.

    It opens nothing but the segments, which say what the state beside it says.
    """

    plane: str
    name: str
    key: bytes = field(repr=False)
    file: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it; an empty one for a state that was never copied. `thinned_at` is when the whole states
    were last gone through for what need not stay, `left` how many of this instance that left, `proved_at`
    when they were last hashed. `braked` says why they may not go, and what to do.
    """

    vault: Vault | None = None
    places: Mapping[str, Place] = field(default_factory=dict)
    thinned_at: datetime | None = None
    left: int | None = None
    proved_at: datetime | None = None
    braked: tuple[str, str] | None = None

    def with_place(self, region: str, place: Place) -> "Standing":
        """With another place."""
        return replace(self, places={**self.places, region: place})


def folder_of(configuration: Configuration) -> Path:
    """Where how it stands is kept, beside the state."""
    return configuration.work / "control-plane"


def read_standing(folder: Path) -> Standing:
    """What the file says; an empty one if there is none, or none that can be read."""
    try:
        found = json.loads((folder / "standing.json").read_bytes())
        vault = found["vault"]
        return Standing(
            vault
            and Vault(
                vault["plane"],
                vault["name"],
                bytes.fromhex(vault["key"]),
                bytes.fromhex(vault["file"]),
            ),
            {name: _place(one) for name, one in found["places"].items()},
            _time(found.get("thinned_at")),
            found.get("left"),
            _time(found.get("proved_at")),
            tuple(braked) if (braked := found.get("braked")) else None,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Standing()


def write_standing(folder: Path, standing: Standing) -> None:
    """Put it down, for this user alone. Raises DrorchError where it cannot be."""
    vault = standing.vault
    document = {
        "vault": vault
        and {
            "plane": vault.plane,
            "name": vault.name,
            "key": vault.key.hex(),
            "file": vault.file.hex(),
        },
        "places": {name: _document(place) for name, place in standing.places.items()},
        "thinned_at": rfc3339(standing.thinned_at) if standing.thinned_at else None,
        "left": standing.left,
        "proved_at": rfc3339(standing.proved_at) if standing.proved_at else None,
        "braked": standing.braked,
    }
    with _said(folder):
        make_private(folder)
        path = folder / f"standing.json.{os.getpid()}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # Not forced to the disk: after a power cut the regions are asked.
        with os.fdopen(handle, "w") as file:
            json.dump(document, file)
        path.replace(folder / "standing.json")


@contextmanager
def alone(folder: Path, within: float, name: str = "lock") -> Iterator[bool]:
    """Hold the place against others on this host; False if it was not to be had in time.

    `lock` is for segments and the file, `whole.lock` for whole states, which take longer. Raises
    DrorchError where the folder cannot be written.
    """
    with ExitStack() as held:
        with _said(folder):
            make_private(folder)
            taken = _taken(held, folder / name, time.monotonic() + within)
        yield taken


def _taken(held: ExitStack, path: Path, until: float) -> bool:
    while True:
        try:
            held.enter_context(exclusive(path, wait=False))
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_STEP)
        else:
            return True


@contextmanager
def _said(folder: Path) -> Iterator[None]:
    """What cannot be written becomes an error for people."""
    try:
        yield
    except OSError as error:
        raise DrorchError(
            f"{folder} cannot be written: {error.strerror}", "see that it can be, and has room"
        ) from error


_TIMES = ("at", "began_at", "tried_at", "whole_at")


def _document(place: Place) -> dict[str, Any]:
    times = {name: getattr(place, name) for name in _TIMES}
    return {
        **asdict(place),
        **{name: rfc3339(at) if at is not None else None for name, at in times.items()},
        "until": [place.until.n, place.until.hash],
        "whole": [place.whole.n, place.whole.hash],
    }


def _place(found: Mapping[str, Any]) -> Place:
    times = {n: _time(found[n]) for n in _TIMES}
    return Place(
        **{
            **found,
            **times,
            "until": Point(*found["until"]),
            "whole": Point(*found["whole"]),
            "late": tuple(found["late"]),
            "whole_late": tuple(found.get("whole_late", ())),
            "covered": (str(found["covered"][0]), int(found["covered"][1])),
            "streams": tuple(found["streams"]),
            "damaged": tuple(found.get("damaged", ())),
        }
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
