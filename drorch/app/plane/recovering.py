"""Use case `recover`: everything drorch knows, brought back onto an empty machine from one region."""

import secrets as entropy
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from drorch import __version__
from drorch.adapters.clock import SystemClock
from drorch.adapters.commands import SystemCommands
from drorch.app.plane.beside import beside, no_room, refuse_full_disk, target
from drorch.app.plane.choosing import (
    Candidate,
    Unusable,
    bring_back,
    candidates,
    improves,
    unjoined,
)
from drorch.app.plane.files import CONFIGURATION
from drorch.app.plane.finishing import finished
from drorch.app.plane.looking import Opened, look
from drorch.app.plane.opening import Made, name_of, opened, place_of, same_place
from drorch.app.plane.recovered import Recovered, Seen, Wish
from drorch.core.errors import ConfigurationError, DrorchError, UsageError
from drorch.core.model import Region
from drorch.core.plane import plane_regions
from drorch.restic.client import Restic
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials, Patience, credentials_of

_PATIENCE = Patience(connections=20)

#: A request that fails for what may pass is tried again for so long.
_GIVE_UP_AFTER = timedelta(seconds=10)


def recover(wish: Wish, ready: Callable[[Recovered], None] = lambda _: None) -> Recovered:
    """Bring it back into an empty folder, wholly or not at all. `ready` is called when it is there and
    can be worked with: in a long journal what is kept beside the events is compared with them after it.

    Raises UsageError for a folder that holds something, a wrong bucket or passphrase, several
    control planes, a configuration that does not load; StorageError of the region; NewerState;
    JournalUntrusted if nothing whole is left; ResticError without a usable restic; DrorchError where
    the disk takes no more.
    """
    wish = replace(wish, to=target(wish.to))
    with beside(wish.to) as folder:
        commands = SystemCommands(entropy.token_hex(16))
        try:
            restic = Restic(commands, wish.environment, binary=wish.restic, cache=folder / "cache")
            restic.capabilities()  # else every whole state would look damaged
            return _Recovery(wish, folder, restic).done(ready)
        except OSError as error:
            raise no_room(folder, error) from error
        finally:
            commands.close()


class _Recovery:
    def __init__(self, wish: Wish, folder: Path, restic: Restic) -> None:
        self._wish = wish
        self._folder = folder
        self._restic = restic
        self._seen: dict[tuple[str, str, str], Seen] = {}
        self._tries = 0
        self._now = SystemClock().now().at
        self._opened: list[Opened] = []

    def done(self, ready: Callable[[Recovered], None]) -> Recovered:
        wish = self._wish
        found = self._looked(self._bucket(wish.region, wish.credentials))
        states = candidates(found, wish.at, self._now, wish.instance)
        if not states:
            raise self._nothing(found)
        why: list[str] = []
        made = self._first(states, why)
        if made is None:
            raise DrorchError(
                f"no state in bucket {wish.region.bucket} can be brought back: {'; '.join(why[:3])}",
                "recover from another region, or an earlier state: --at TIME",
            )
        made = self._better(made)
        return finished(wish, made, self._told(made), self._opened, ready)

    def _bucket(self, region: Region, credentials: Credentials) -> Bucket:
        return Bucket(region, credentials, patience=_PATIENCE, give_up_after=_GIVE_UP_AFTER)

    def _looked(self, bucket: Bucket, plane: str = "") -> list[Opened]:
        found = look(bucket, self._wish.passphrase, self._restic, plane or self._wish.plane)
        self._opened += found
        states = candidates(found, self._wish.at, self._now, self._wish.instance)
        flaws = tuple(flaw for one in found for flaw in one.flaws)
        name, newest = bucket.region.name, states[0] if states else None
        seen = Seen(name, newest.at, newest.until, flaws) if newest else Seen(name, flaws=flaws)
        since = next((one.shut_since for one in found), None)
        self._seen[place_of(bucket.region)] = replace(seen, shut_since=since)
        return found

    def _first(self, states: Sequence[Candidate], why: list[str]) -> Made | None:
        """The first state that can really be brought back; `why` those before it cannot."""
        for one in states:
            self._tries += 1
            tree = self._folder / f"try-{self._tries}"
            tree.mkdir(mode=0o700)
            try:
                return opened(self._wish, one, bring_back(one, tree, self._restic), tree)
            except Unusable as error:
                refuse_full_disk(tree)
                shutil.rmtree(tree)
                if str(error) not in why:
                    why.append(str(error))
                self._flawed(one.opened.bucket.region, str(error))
            except ConfigurationError as error:
                raise _not_taken(one, error) from None
        return None

    def _flawed(self, region: Region, flaw: str) -> None:
        seen = self._seen[place_of(region)]
        if flaw not in seen.flaws:
            self._seen[place_of(region)] = replace(seen, flaws=(*seen.flaws, flaw))

    def _better(self, made: Made) -> Made:
        """What the other regions can give, where that really goes before what was made already."""
        others = candidates(self._others(made), self._wish.at, self._now, self._wish.instance)
        ahead = [o for o in others if improves(o, made.candidate, made.brought, self._now)]
        better = self._first(ahead, [])
        if better is None:
            return made
        shutil.rmtree(made.tree)
        return better

    def _others(self, made: Made) -> list[Opened]:
        """What the other regions of the recovered configuration hold, as far as they can be asked."""
        program, found = made.program, list[Opened]()
        for region in plane_regions(program.configuration):
            if same_place(region, self._wish.region):
                continue
            try:
                bucket = self._bucket(region, credentials_of(region, program.secrets))
                found += self._looked(bucket, made.candidate.opened.plane)
            except DrorchError as error:
                self._seen[place_of(region)] = Seen(region.name, message=error.message)
        return found

    def _told(self, made: Made) -> list[Seen]:
        """What was seen, by the names that the configuration has for regions."""
        configuration = made.program.configuration
        given = name_of(configuration, self._wish.region) or self._wish.region.name
        mine = place_of(self._wish.region)
        told = {p: replace(s, goes_on=self._goes_on(made, p)) for p, s in self._seen.items()}
        return [replace(s, region=given) if p == mine else s for p, s in told.items()]

    def _goes_on(self, made: Made, place: tuple[str, str, str]) -> datetime | None:
        there = (one for one in self._opened if place_of(one.bucket.region) == place)
        return unjoined(made.candidate, there, self._wish.at, self._now)

    def _nothing(self, found: Sequence[Opened]) -> DrorchError:
        flaws = [flaw for one in found for flaw in one.flaws]
        if self._wish.instance and (there := candidates(found, self._wish.at, self._now)):
            return UsageError(
                f"there is no state of control plane {self._wish.instance}",
                f"there is of: {', '.join(dict.fromkeys(one.instance for one in there))}",
            )
        if self._wish.at is not None and (ever := candidates(found, None, self._now)):
            oldest = min(one.at for one in ever)
            return UsageError(
                f"no whole state is as old as {self._wish.at:%Y-%m-%d %H:%M:%S} UTC",
                f"the oldest is of {oldest:%Y-%m-%d %H:%M:%S} UTC",
            )
        why = f": {'; '.join(flaws[:3])}" if flaws else ""
        return DrorchError(
            f"bucket {self._wish.region.bucket} holds no whole state{why}",
            "recover from another region",
        )


def _not_taken(state: Candidate, error: ConfigurationError) -> UsageError:
    """Nothing is damaged: another version of drorch loads it. An earlier state would leave out what was
    recorded since, which is for a person to choose.
    """
    problem = replace(error.problems[0], file=CONFIGURATION)
    return UsageError(
        f"the configuration of {state.at:%Y-%m-%d %H:%M:%S} UTC in bucket "
        f"{state.opened.bucket.region.bucket} does not load with drorch {__version__}: {problem}",
        "recover with the version of drorch that wrote it, or an earlier state: --at TIME",
    )
