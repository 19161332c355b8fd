"""Use case `recover`: everything drorch knows, brought back onto an empty machine from one region."""

import secrets as entropy
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drorch.adapters.commands import SystemCommands
from drorch.app.plane.beside import beside, refuse_full
from drorch.app.plane.choosing import Candidate, Unusable, bring_back, candidates
from drorch.app.plane.finishing import finished
from drorch.app.plane.looking import Opened, look
from drorch.app.plane.opening import Made, name_of, opened, same_place
from drorch.app.plane.recovered import Recovered, Seen, Wish
from drorch.core.errors import ConfigurationError, DrorchError, UsageError
from drorch.core.model import Configuration, Region
from drorch.core.plane import plane_regions
from drorch.restic.client import Restic
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials, Patience, credentials_of

_PATIENCE = Patience(connections=20)


def recover(wish: Wish) -> Recovered:
    """Bring it back into an empty folder, wholly or not at all.

    Raises UsageError for a folder that holds something, a wrong bucket or passphrase, several
    control planes; StorageError of the region; NewerState; JournalUntrusted if nothing whole is left.
    """
    refuse_full(wish.to)
    with beside(wish.to) as folder:
        commands = SystemCommands(entropy.token_hex(16))
        try:
            restic = Restic(commands, wish.environment, binary=wish.restic, cache=folder / "cache")
            return _Recovery(wish, folder, restic).done()
        finally:
            commands.close()


class _Recovery:
    def __init__(self, wish: Wish, folder: Path, restic: Restic) -> None:
        self._wish = wish
        self._folder = folder
        self._restic = restic
        self._seen: dict[str, Seen] = {}
        self._tries = 0

    def done(self) -> Recovered:
        wish = self._wish
        found = self._looked(wish.region.name, self._bucket(wish.region, wish.credentials))
        states = candidates(found, wish.at)
        if not states:
            raise self._nothing(found)
        made = self._best(states)
        others = self._others(made)
        if others:
            newer = candidates([one for many in others for one in many], wish.at)
            made = self._best([*newer, *states])
        return finished(wish, made, self._seen.values())

    def _bucket(self, region: Region, credentials: Credentials) -> Bucket:
        return Bucket(region, credentials, patience=_PATIENCE, give_up_after=timedelta(seconds=10))

    def _looked(self, name: str, bucket: Bucket, plane: str = "") -> list[Opened]:
        found = look(bucket, self._wish.passphrase, self._restic, plane or self._wish.plane)
        states = candidates(found, self._wish.at)
        flaws = tuple(flaw for one in found for flaw in one.flaws)
        newest = states[0] if states else None
        self._seen[name] = (
            Seen(name, newest.at, newest.until, flaws) if newest else Seen(name, flaws=flaws)
        )
        return found

    def _best(self, states: Sequence[Candidate]) -> Made:
        """The newest state that can really be brought back."""
        ordered = sorted(states, key=lambda c: (c.at, c.whole is not None, c.until.n), reverse=True)
        why: list[str] = []
        for one in ordered:
            self._tries += 1
            tree = self._folder / f"try-{self._tries}"
            tree.mkdir(mode=0o700)
            try:
                made = opened(self._wish, one, bring_back(one, tree, self._restic), tree)
            except Unusable as error:
                shutil.rmtree(tree)
                if str(error) not in why:
                    why.append(str(error))
                self._flawed(one.region, str(error))
            else:
                self._renamed(made.program.configuration)
                return made
        raise DrorchError(
            f"no state in region {ordered[0].region} can be brought back: {'; '.join(why[:3])}",
            "recover from another region, or an earlier state: --at TIME",
        )

    def _flawed(self, region: str, flaw: str) -> None:
        seen = self._seen.get(region, Seen(region))
        if flaw not in seen.flaws:
            self._seen[region] = replace(seen, flaws=(*seen.flaws, flaw))

    def _renamed(self, configuration: Configuration) -> None:
        """The region that was given, by the name that it has in the configuration."""
        given = self._wish.region
        seen = self._seen.pop(given.name, None)
        if seen is not None:
            name = name_of(configuration, given) or given.name
            self._seen[name] = replace(seen, region=name)

    def _others(self, made: Made) -> list[list[Opened]]:
        """What the other regions of the recovered configuration hold, as far as they can be asked."""
        program, found = made.program, []
        for region in plane_regions(program.configuration):
            if same_place(region, self._wish.region):
                continue
            try:
                credentials = credentials_of(region, program.secrets)
                bucket = self._bucket(region, credentials)
                found.append(self._looked(region.name, bucket, made.candidate.opened.plane))
            except (DrorchError, ConfigurationError) as error:
                self._seen[region.name] = Seen(region.name, message=error.message)
        return found

    def _nothing(self, found: Sequence[Opened]) -> DrorchError:
        flaws = [flaw for one in found for flaw in one.flaws]
        if self._wish.at is not None and candidates(found, None):
            oldest = candidates(found, None)[-1].at
            return UsageError(
                f"no whole state is as old as {self._wish.at:%Y-%m-%d %H:%M:%S} UTC",
                f"the oldest is of {oldest:%Y-%m-%d %H:%M:%S} UTC",
            )
        why = f": {'; '.join(flaws[:3])}" if flaws else ""
        return DrorchError(
            f"bucket {self._wish.region.bucket} holds no whole state{why}",
            "recover from another region",
        )
