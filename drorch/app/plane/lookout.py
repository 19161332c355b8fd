"""Looking for other control planes of the same records, and telling them of this one.

Every region is asked at once, within seconds. Where none answers nothing is known: work goes on, as
without another, unless one was known to be in charge; and that is said.
"""

import secrets as entropy
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from drorch.app.plane.copying import Copier, Pace
from drorch.app.plane.judging import Judge
from drorch.app.plane.posts import Post, Posts
from drorch.app.plane.standing import Standing, Vault, alone, read_standing, write_standing
from drorch.app.plane.terms import others_of, own_term
from drorch.app.program import Program
from drorch.app.runs import Control, Request, carry_out
from drorch.core.errors import DrorchError, StorageError
from drorch.core.model import Region
from drorch.core.plane import Point, plane_regions
from drorch.core.terming import compile_seen
from drorch.core.terms import OtherSeen, Presence, Sighting, TermBegun, leader
from drorch.journal.increments import hash_at, last_number

#: How long a look may take in all, in seconds.
WITHIN = 4.0


@dataclass(frozen=True, slots=True)
class View:
    """What one look came to. `asked` are the regions that answered, `unasked` says why others did not;
    with `unknown_since` none has answered since then.
    """

    at: datetime
    own: TermBegun
    others: tuple[OtherSeen, ...] = ()
    asked: tuple[str, ...] = ()
    unasked: Mapping[str, str] = field(default_factory=dict)
    unknown_since: datetime | None = None

    @property
    def leader(self) -> OtherSeen | None:
        """The other that is in charge; None: this one is, as far as is known."""
        return leader(self.own, self.others)


class Lookout:
    """Looks for one process, and tells of it (`tells`) or only looks. One thread at a time."""

    def __init__(self, program: Program, *, tells: bool, within: float = WITHIN) -> None:
        self.program = program
        self._tells = tells
        self._copier = Copier(program, Pace(within=within))
        self._posts = Posts(self._copier, within)
        self._name = entropy.token_hex(8)
        self._began_at = program.clock.now().at
        self._unknown_since: datetime | None = None
        self._heard: Mapping[str, datetime] = {}
        self._count = 0
        #: Regions that did not take what this one tells, and why.
        self.untold: dict[str, str] = {}

    def renewed(self, program: Program) -> None:
        """From now on by another configuration of the same state."""
        self.program = program
        self._copier = Copier(program, self._copier.pace)
        self._posts.renewed(self._copier)

    def look(self) -> View | None:
        """Ask every region, tell them of us, and record what is new; None where there is nothing to
        be asked. Raises DrorchError where the journal fails, or a secret cannot be had.
        """
        vault = self._vault()
        if vault is None:
            return None
        own = self._announced() if self._tells else own_term(self.program)
        known = {one.instance: self._as_heard(one) for one in others_of(self.program)}
        us = self._presence(own, known.values())
        seen, unasked = self._posts.ask(self._regions(), vault, self._looking(vault, us))
        now = self.program.clock.now().at
        self._unknown_since = None if seen else self._unknown_since or now
        judge = Judge(self.program, own, us, known)
        others = judge.others(seen.values(), now)
        self._heard = {name: one.heard_at for name, one in others.items()}
        # What cannot be recorded is seen all the same, and recorded by a later look.
        with suppress(DrorchError):
            self._record(others, known)
        told = self._presence(own, others.values())
        if self._tells and seen:
            answering = [r for r in self._regions() if r.name in seen]
            self._posts.ask(answering, vault, self._telling(vault, told))
            if over := judge.over(seen.values()):
                self._posts.ask(answering, vault, lambda post: post.tidy(over))
        return View(now, own, tuple(others.values()), tuple(seen), unasked, self._unknown_since)

    def stop(self) -> None:
        """Say that this process stops: whoever else there is need not reckon with it any more."""
        vault = self._vault()
        if vault is not None and self._tells:
            own = own_term(self.program)
            us = replace(self._presence(own, others_of(self.program)), stopped=True)
            self._posts.ask(self._regions(), vault, self._telling(vault, us))

    def _as_heard(self, known: OtherSeen) -> OtherSeen:
        """What is on record, and when this process last heard of it: that is not recorded each time."""
        heard_at = self._heard.get(known.instance, known.heard_at)
        return replace(known, heard_at=max(known.heard_at, heard_at))

    def _looking(self, vault: Vault, us: Presence) -> Callable[[Post], Sequence[Sighting]]:
        """Of two that begin at the same moment one at least must see the other: tell, then look."""
        tell = self._telling(vault, us)
        now = us.at

        def work(post: Post) -> Sequence[Sighting]:
            if self._tells:
                tell(post)
            return post.sightings(vault.name, now)

        return work

    def _telling(self, vault: Vault, us: Presence) -> Callable[[Post], None]:
        """A region that takes nothing (it is full, say) may show others all the same."""

        def work(post: Post) -> None:
            name = post.bucket.region.name
            try:
                post.tell(vault.name, vault.key, us)
            except StorageError as error:
                self.untold[name] = error.message
            else:
                self.untold.pop(name, None)

        return work

    def _regions(self) -> Sequence[Region]:
        return plane_regions(self.program.configuration)

    def _vault(self) -> Vault | None:
        """The vault that is told in; None where there is no history yet, no password or no region."""
        plane = self._copier.plane
        if not plane:
            return None
        found = read_standing(self._copier.folder).vault
        if found is not None and found.plane == plane:
            return found
        return self._made(plane)

    def _made(self, plane: str) -> Vault | None:
        with alone(self._copier.folder, WITHIN) as held:
            if not held:
                return None
            standing: Standing = self._copier.vaulted(plane)
            with suppress(DrorchError):
                write_standing(self._copier.folder, standing)
            return standing.vault

    def _presence(self, own: TermBegun, others: Iterable[OtherSeen]) -> Presence:
        last = last_number(self.program.journal)
        self._count += 1
        return Presence(
            self._name,
            own.instance,
            own.term,
            own.at,
            self.program.owner.host,
            self._began_at,
            self.program.clock.now().at,
            Point(last, hash_at(self.program.journal, last)),
            back=leader(own, others) is not None,
            count=self._count,
        )

    def _announced(self) -> TermBegun:
        """Our term, from now on one in which something works."""
        own = own_term(self.program)
        if own.announced:
            return own
        own = replace(own, announced=True)
        self._carried(own, ())
        return own

    def _record(self, others: Mapping[str, OtherSeen], known: Mapping[str, OtherSeen]) -> None:
        new = [one for one in others.values() if one.differs(known.get(one.instance))]
        if any(one.clone and not _known_clone(known, one) for one in new):
            self._part()
        if new:
            self._carried(None, new)

    def _part(self) -> None:
        """A copy of us writes into the same streams: begin others, and call those no more our own."""
        with alone(self._copier.folder, WITHIN) as held:
            standing = read_standing(self._copier.folder)
            if not held or standing.vault is None:
                return
            places = {n: replace(p, stream="", streams=()) for n, p in standing.places.items()}
            write_standing(self._copier.folder, replace(standing, places=places))

    def _carried(self, term: TermBegun | None, others: Sequence[OtherSeen]) -> None:
        subject = f"schedule:{entropy.token_hex(8)}"
        plan = compile_seen(self.program.configuration, subject, term, others)
        carry_out(self.program, plan, Request("daemon"), control=Control())


def _known_clone(known: Mapping[str, OtherSeen], one: OtherSeen) -> bool:
    return one.instance in known and known[one.instance].clone
