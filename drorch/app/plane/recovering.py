"""Use case `recover`: everything drorch knows, brought back onto an empty machine from one region."""

import fcntl
import os
import secrets as entropy
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from drorch.adapters.commands import SystemCommands
from drorch.adapters.evidence import make_private, write_durably
from drorch.adapters.secrets import ConfiguredSecrets, SecretLook
from drorch.app.plane.adopting import Adopted, LentSecrets, adopt
from drorch.app.plane.choosing import Brought, Candidate, Unusable, bring_back, candidates
from drorch.app.plane.files import CONFIGURATION
from drorch.app.plane.looking import Opened, look
from drorch.app.program import Program
from drorch.config.load import load_configuration
from drorch.config.relocating import with_values
from drorch.core.errors import ConfigurationError, DrorchError, UsageError
from drorch.core.model import Configuration, Region
from drorch.core.plane import BEGINNING, Point, plane_password, plane_regions
from drorch.journal.report import VerifyReport
from drorch.journal.verify import verify_journal
from drorch.restic.client import Restic
from drorch.storage.bucket import Bucket
from drorch.storage.client import Credentials, Patience, credentials_of

_STATE, _RUNBOOKS = "sqlite:///var/drorch.db", "runbooks"
_PATIENCE = Patience(connections=20)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known on an empty machine: one region, its credentials, the passphrase."""

    region: Region
    credentials: Credentials
    passphrase: str = field(repr=False)
    to: Path
    at: datetime | None = None
    plane: str = ""
    restic: str = "restic"
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a region came to: of when the newest state is that it can give (None: none) and where
    that ends, what of it is damaged, or why it was not looked at.
    """

    region: str
    at: datetime | None = None
    until: Point = BEGINNING
    flaws: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was brought back, and what a person has to know about it.

    `secrets` are those that have to be given again; `written` is where the passphrase was put.
    """

    to: Path
    region: str
    at: datetime
    until: Point
    organization: str
    events: int
    report: VerifyReport
    seen: tuple[Seen, ...]
    secrets: tuple[SecretLook, ...]
    written: Path | None
    left_out: tuple[str, ...]
    adopted: tuple[Adopted, ...]
    command: str

    def behind(self, seen: Seen) -> timedelta:
        """How much older the newest state of a region is than what was brought back."""
        if seen.at is None or seen.until == self.until:
            return timedelta()
        return max(timedelta(), self.at - seen.at)


def recover(wish: Wish) -> Recovered:
    """Bring it back into an empty folder, wholly or not at all.

    Raises UsageError for a folder that holds something, a wrong bucket or passphrase, several
    control planes; StorageError of the region; NewerState; JournalUntrusted if nothing whole is left.
    """
    _refuse_full(wish.to)
    with _beside(wish.to) as folder:
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
        opened = self._looked(wish.region.name, self._bucket(wish.region, wish.credentials))
        found = candidates(opened, wish.at)
        if not found:
            raise self._nothing(opened)
        program, chosen, brought, tree = self._best(found)
        others = self._others(program, chosen)
        if others:
            newer = candidates([one for many in others for one in many], wish.at)
            program, chosen, brought, tree = self._best([*newer, *found])
        return self._finished(program, chosen, brought, tree)

    def _bucket(self, region: Region, credentials: Credentials) -> Bucket:
        return Bucket(region, credentials, patience=_PATIENCE, give_up_after=timedelta(seconds=10))

    def _looked(self, name: str, bucket: Bucket, plane: str = "") -> list[Opened]:
        opened = look(bucket, self._wish.passphrase, self._restic, plane or self._wish.plane)
        found = candidates(opened, self._wish.at)
        flaws = tuple(flaw for one in opened for flaw in one.flaws)
        newest = found[0] if found else None
        self._seen[name] = (
            Seen(name, newest.at, newest.until, flaws) if newest else Seen(name, flaws=flaws)
        )
        return opened

    def _best(self, found: Sequence[Candidate]) -> tuple[Program, Candidate, Brought, Path]:
        """The newest state that can really be brought back."""
        ordered = sorted(found, key=lambda c: (c.at, c.whole is not None, c.until.n), reverse=True)
        why: list[str] = []
        for one in ordered:
            self._tries += 1
            tree = self._folder / f"try-{self._tries}"
            tree.mkdir(mode=0o700)
            try:
                brought = bring_back(one, tree, self._restic)
                return self._opened(brought, tree), one, brought, tree
            except Unusable as error:
                shutil.rmtree(tree)
                if str(error) not in why:
                    why.append(str(error))
                self._flawed(one.region, str(error))
        raise DrorchError(
            f"no state in region {ordered[0].region} can be brought back: {'; '.join(why[:3])}",
            "recover from another region, or an earlier state: --at TIME",
        )

    def _flawed(self, region: str, flaw: str) -> None:
        seen = self._seen.get(region, Seen(region))
        if flaw not in seen.flaws:
            self._seen[region] = replace(seen, flaws=(*seen.flaws, flaw))

    def _opened(self, brought: Brought, tree: Path) -> Program:
        """The program on what was brought back; its configuration points into the folder."""
        for name, content in brought.files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(content)
        (tree / _RUNBOOKS).mkdir(exist_ok=True)
        path = tree / CONFIGURATION
        if not path.is_file():
            raise Unusable("it holds no configuration")
        moved = with_values(
            path.read_text(encoding="utf-8-sig"),
            CONFIGURATION,
            {"state": _STATE, "runbooks": _RUNBOOKS},
        )
        write_durably(path, moved.encode())
        program = Program(load_configuration(path), self._environment())
        program.__dict__["secrets"] = LentSecrets(
            program.configuration, program.commands, program.environment
        ).lent(self._given(program.configuration))
        self._renamed(program.configuration)
        return program

    def _environment(self) -> dict[str, str]:
        return {**self._wish.environment, "DRORCH_RESTIC": self._wish.restic}

    def _renamed(self, configuration: Configuration) -> None:
        """The region that was given, by the name that it has in the configuration."""
        given = self._wish.region
        own = next((r.name for r in configuration.regions.values() if _same(r, given)), None)
        seen = self._seen.pop(given.name, None)
        if seen is not None:
            self._seen[own or given.name] = replace(seen, region=own or given.name)

    def _others(self, program: Program, chosen: Candidate) -> list[list[Opened]]:
        """What the other regions of the recovered configuration hold, as far as they can be asked."""
        found = []
        for region in plane_regions(program.configuration):
            if _same(region, self._wish.region):
                continue
            try:
                credentials = credentials_of(region, program.secrets)
                bucket = self._bucket(region, credentials)
                found.append(self._looked(region.name, bucket, chosen.opened.plane))
            except (DrorchError, ConfigurationError) as error:
                self._seen[region.name] = Seen(region.name, message=error.message)
        return found

    def _nothing(self, opened: Sequence[Opened]) -> DrorchError:
        flaws = [flaw for one in opened for flaw in one.flaws]
        if self._wish.at is not None and candidates(opened, None):
            oldest = candidates(opened, None)[-1].at
            return UsageError(
                f"no whole state is as old as {self._wish.at:%Y-%m-%d %H:%M:%S} UTC",
                f"the oldest is of {oldest:%Y-%m-%d %H:%M:%S} UTC",
            )
        why = f": {'; '.join(flaws[:3])}" if flaws else ""
        return DrorchError(
            f"bucket {self._wish.region.bucket} holds no whole state{why}",
            "recover from another region",
        )

    # --- the end

    def _finished(
        self, program: Program, chosen: Candidate, brought: Brought, tree: Path
    ) -> Recovered:
        configuration = program.configuration
        written = self._passphrase(configuration, tree)
        try:
            report = verify_journal(program.journal)
            adopted = adopt(program) if report.ok else ()
        finally:
            program.journal.close()
        missing = tuple(
            one
            for one in map(
                ConfiguredSecrets(configuration, program.commands, program.environment).look,
                configuration.secrets,
            )
            if one.there is not True
        )
        shutil.rmtree(tree / "var" / ".cache", ignore_errors=True)
        to = self._wish.to
        make_private(to.parent)
        tree.rename(to)
        if written is not None and not written.is_relative_to(tree):
            with suppress(OSError):
                make_private(written.parent)
                if not written.exists():
                    write_durably(written, self._wish.passphrase.encode() + b"\n")
        return Recovered(
            to=to,
            region=self._name_of(chosen, configuration),
            at=chosen.at,
            until=chosen.until,
            organization=configuration.organization,
            events=report.events,
            report=report,
            seen=tuple(
                replace(s, message=_there(s.message, tree, to)) for s in self._seen.values()
            ),
            secrets=tuple(_moved(one, tree, to) for one in missing),
            written=_at(written, tree, to),
            left_out=brought.left_out,
            adopted=adopted,
            command=_command(configuration, to),
        )

    def _given(self, configuration: Configuration) -> dict[str, str]:
        """What was given by hand, by the names that the configuration has for it."""
        found = {}
        password = plane_password(configuration)
        if password is not None:
            found[password] = self._wish.passphrase
        keys = self._wish.credentials
        for region in configuration.regions.values():
            if _same(region, self._wish.region) and region.access_key and region.secret_key:
                found[region.access_key] = keys.access_key or ""
                found[region.secret_key] = keys.secret_key or ""
        return {name: value for name, value in found.items() if value}

    def _name_of(self, chosen: Candidate, configuration: Configuration) -> str:
        place = chosen.opened.bucket.region
        return next(
            (r.name for r in configuration.regions.values() if _same(r, place)), chosen.region
        )

    def _passphrase(self, configuration: Configuration, tree: Path) -> Path | None:
        """Put it where the configuration expects it, if that is a file."""
        source = configuration.secrets.get(plane_password(configuration) or "")
        if source is None or source.file is None:
            return None
        if source.file.is_relative_to(tree):
            make_private(source.file.parent)
            write_durably(source.file, self._wish.passphrase.encode() + b"\n")
        return source.file


def _same(one: Region, other: Region) -> bool:
    return (one.endpoint.rstrip("/"), one.bucket, one.prefix) == (
        other.endpoint.rstrip("/"),
        other.bucket,
        other.prefix,
    )


def _moved(one: SecretLook, tree: Path, to: Path) -> SecretLook:
    return replace(
        one,
        source=_there(one.source, tree, to),
        message=_there(one.message, tree, to),
        hint=_there(one.hint, tree, to),
    )


def _there(text: str, tree: Path, to: Path) -> str:
    """What was said of the folder beside, of the one it became."""
    return text.replace(str(tree), str(to))


def _at(path: Path | None, tree: Path, to: Path) -> Path | None:
    if path is None or not path.is_relative_to(tree):
        return path
    return to / path.relative_to(tree)


def _command(configuration: Configuration, to: Path) -> str:
    """The one command that starts a failover: of the service that comes first."""
    services = [s for s in configuration.services.values() if s.runbook]
    first = min(services, key=lambda s: s.tier if s.tier is not None else 99, default=None)
    name = first.runbook if first is not None else "RUNBOOK"
    return f'drorch --config {to / CONFIGURATION} failover {name} --declare "WHY"'


def _refuse_full(to: Path) -> None:
    if to.is_dir() and any(to.iterdir()):
        raise UsageError(f"{to} is not empty", "name a folder that is empty, or not there yet")
    if to.exists() and not to.is_dir():
        raise UsageError(f"{to} is no folder", "name a folder that is empty, or not there yet")


@contextmanager
def _beside(to: Path) -> Iterator[Path]:
    """A folder beside the target, so that everything appears there at once; what a recovery that
    was killed left there is removed.
    """
    stem = f".{to.name}.drorch-recover-"
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        for left in to.parent.glob(f"{stem}*"):
            _remove_dead(left)
        folder = to.parent / f"{stem}{entropy.token_hex(4)}"
        folder.mkdir(mode=0o700)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UsageError(
            f"{to.parent} cannot be written: {error.strerror}", "name another folder"
        ) from None
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _remove_dead(folder: Path) -> None:
    with suppress(OSError):
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)
