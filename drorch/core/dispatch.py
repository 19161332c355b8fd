"""Which of the work that waits may begin: in the order of promises, within limits. Pure.

Whoever waits for a place keeps it: later work does not take what earlier work still lacks, so
nothing starves. What restic does alone with a repository (check, forget, prune) never meets what
writes to it or reads from it; what hashes objects or extends locks meets nobody.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from drorch.core.settings import DaemonSettings


class Hold(StrEnum):
    """How work holds its dataset's repository."""

    ALONE = "alone"
    BESIDE = "beside"
    NOT = "not"


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be carried: `name` is unique, `promised_by` when its promise breaks.

    Of one `subject` (that of its plan) there is one run at a time. `dataset` and `site` are empty
    where it has none. `light` work (a drill that may wait for people, a look at preconditions)
    takes no place of the machine.
    """

    name: str
    subject: str
    promised_by: datetime
    due_at: datetime
    dataset: str = ""
    site: str = ""
    regions: frozenset[str] = frozenset()
    hold: Hold = Hold.NOT
    light: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What begins now, and why each of the others does not yet, by name."""

    begin: tuple[Work, ...]
    held: dict[str, str]


def choose(waiting: Iterable[Work], running: Sequence[Work], limits: DaemonSettings) -> Choice:
    """Decide. The order is: whose promise breaks first, then who was due first, then by name."""
    there = list(running)
    taken = Counter(place for work in running for place in _places(work))
    begin: list[Work] = []
    held: dict[str, str] = {}
    for work in sorted(waiting, key=lambda w: (w.promised_by, w.due_at, w.name)):
        met = next((other for other in there if _clash(work, other)), None)
        if met is not None:
            held[work.name] = f"{met.name} was under way"
            continue
        full = next((p for p in _places(work) if taken[p] >= _room(p, limits)), None)
        # Its places are counted even if it must wait: who comes after it does not take them away.
        taken.update(_places(work))
        if full is not None:
            held[work.name] = _said(full, _room(full, limits))
            continue
        begin.append(work)
        there.append(work)
    return Choice(tuple(begin), held)


def _clash(one: Work, other: Work) -> bool:
    if one.subject == other.subject:
        return True
    holds = {one.hold, other.hold}
    return one.dataset == other.dataset and Hold.ALONE in holds and Hold.NOT not in holds


#: What may be taken: the machine, a region, a site; with its name.
_Place = tuple[str, str]


def _places(work: Work) -> Iterator[_Place]:
    if not work.light:
        yield "machine", ""
    if work.site:
        yield "site", work.site
    for region in sorted(work.regions):
        yield "region", region


def _room(place: _Place, limits: DaemonSettings) -> int:
    return {"machine": limits.parallel, "site": limits.per_site, "region": limits.per_region}[
        place[0]
    ]


def _said(place: _Place, room: int) -> str:
    where = {
        "machine": "on this machine",
        "site": f"from site {place[1]}",
        "region": f"with region {place[1]}",
    }[place[0]]
    return f"{room} other runs were under way {where}"
