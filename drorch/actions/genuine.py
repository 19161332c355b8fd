"""Who wrote it: what the journal knows and what the repository's key proves, made into a judge.

The repository's master key is found in its key files, when something unknown first turns up. It
stays in this process's memory.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from drorch.actions.gateways import buckets_of
from drorch.actions.places import bucket_of, password_name, region_named, repository_folder
from drorch.core.errors import DrorchError, ResticError, StorageError
from drorch.core.facts import Forgotten, KeyKnown, KeyRevoked, Quarantined
from drorch.core.mirrors import same_repository
from drorch.core.model import Dataset
from drorch.core.values import Finding
from drorch.ports import Tools
from drorch.restic.authentic import (
    LARGEST_KEY_FILE,
    NotGenuine,
    SealingKey,
    WrongPassword,
    open_key_file,
)
from drorch.restic.failure import Cause, problem
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause as Fault
from drorch.storage.genuine import too_large
from drorch.storage.layout import CONFIG, Kind, Named, listed
from drorch.storage.probe import Depth, probe_all

#: How many key files that the journal does not know are tried: each may cost seconds, and whoever
#: can write into the region can plant any number. restic tries as many.
_MOST_TRIED = 20

#: How many strange objects of a region are kept on record by name.
_NAMED = 20


def judge_of(tools: Tools, dataset: Dataset, region: str, *others: str) -> "Genuineness":
    """A judge of what lies in the region, or is to come into it.

    The repository's key is looked for in that region, then in the `others` named, then in the
    rest of those that hold the same repository.
    """
    return Genuineness(tools, dataset, Keyring(tools, dataset, region, *others))


class Keyring:
    """What opens a dataset's repository: its key files, as they lie in its regions. Thread-safe."""

    def __init__(self, tools: Tools, dataset: Dataset, region: str, *others: str) -> None:
        self._tools = tools
        self._dataset = dataset
        self._lock = threading.Lock()
        self._master: SealingKey | None = None
        self.regions = tuple(dict.fromkeys((region, *others, *same_repository(dataset, region))))
        self.secret = password_name(dataset, region)

    @cached_property
    def facts(self) -> Mapping[str, KeyKnown]:
        """The keys that the journal knows, revoked ones apart, by id."""
        found = self._tools.knowledge.facts(KeyKnown, self._dataset.name)
        ours = (k.fact for k in found if k.fact.region in self.regions)
        return {f.key: f for f in ours if f.key not in self.revoked}

    @cached_property
    def revoked(self) -> frozenset[str]:
        """The keys that must not come back."""
        found = self._tools.knowledge.facts(KeyRevoked, self._dataset.name)
        return frozenset(k.fact.key for k in found)

    @property
    def master(self) -> SealingKey:
        """The repository's master key; derived at first use, which takes half a second.

        Raises ResticError, cause `keys-gone` or `wrong-password`, StorageError if no region that
        may hold its key files answers, ConfigurationError if the password cannot be had.
        """
        with self._lock:
            if self._master is None:
                self._master = self._find()
            return self._master

    def open(self, named: Named, content: bytes, secret: str = "") -> SealingKey:
        """The master key in one key file, by the repository's password or that of another secret.

        Raises NotGenuine (WrongPassword) if it does not open.
        """
        if not named.is_of(content):
            raise NotGenuine("it is damaged: its content is not what its name says")
        password = self._tools.secrets.get(secret or self.secret)
        return _opened(named.id, content, password, self._tools)

    def _find(self) -> SealingKey:
        seen = _Seen()
        living = self._living(seen)
        for known in (True, False):
            for bucket in living:
                try:
                    master = self._find_in(bucket, seen, known=known)
                except StorageError as error:
                    seen.lost.append(error)
                    continue
                if master is not None:
                    return master
        raise self._trouble(seen)

    def _living(self, seen: "_Seen") -> list[Bucket]:
        """The regions that answer: a dead one would be asked for many seconds."""
        regions = [region_named(self._tools, region) for region in self.regions]
        buckets, absent = buckets_of(self._tools, regions)
        healths = probe_all(buckets, Depth.REACHABLE)
        errors = {health.region: health.error for health in healths}
        seen.lost += [*absent.values(), *(error for error in errors.values() if error)]
        return [bucket for bucket in buckets if errors[bucket.region.name] is None]

    def _find_in(self, bucket: Bucket, seen: "_Seen", *, known: bool) -> SealingKey | None:
        """From one region's key files: those the journal knows, or some of the others."""
        folder = repository_folder(self._dataset)
        for named in listed(bucket, folder, Kind.KEYS):
            wanted = (named.id in self.facts) is known and named.id not in self.revoked
            if not wanted or named.id in seen.refused or seen.tried(known=known) >= _MOST_TRIED:
                continue
            content = read_key(bucket, folder, named)
            try:
                if content is not None:
                    return self.open(named, content)
            except WrongPassword:
                seen.refused[named.id] = known
            except NotGenuine:
                seen.unusable.add(named.id)
        return None

    def _trouble(self, seen: "_Seen") -> ResticError | StorageError:
        """A wrong password, keys that were destroyed, a dead region: never one for the other."""
        if seen.lost and not seen.refused and not seen.unusable:
            return seen.lost[0]
        name = f"the repository of {self._dataset.name}"
        expected = {k for k, f in self.facts.items() if f.secret in ("", self.secret)}
        there = expected & seen.refused.keys()
        if there or (seen.refused and not self.facts):
            known = (
                f"{len(there)} that the journal knows" if there else f"{len(seen.refused)} there"
            )
            message = f"the password opens no key of {name}, of {known}"
            return problem(Cause.WRONG_PASSWORD, message)
        strange = len(seen.refused) + len(seen.unusable)
        instead = f"; {strange} key file(s) that do not open lie there" if strange else ""
        return problem(Cause.KEYS_GONE, f"the keys of {name} are gone{instead}")


class Genuineness:
    """The judge of a repository's objects; see storage/genuine.py. Thread-safe."""

    def __init__(self, tools: Tools, dataset: Dataset, keyring: Keyring) -> None:
        self._tools = tools
        self._dataset = dataset
        self.keyring = keyring

    def __call__(self, named: Named, content: bytes) -> str:
        """Why the object is not genuine; empty if it is, or if its kind proves itself (data)."""
        match named.kind:
            case Kind.KEYS:
                return self._key(named, content)
            case Kind.SNAPSHOTS:
                return self._snapshot(named.id, content)
            case Kind.INDEX:
                return self._sealed(content)
            case Kind.DATA:
                return ""

    def config(self, content: bytes) -> str:
        """The same for the one object that is not named by its content."""
        return self._sealed(content)

    @cached_property
    def _seen(self) -> frozenset[str]:
        """The snapshots that the journal knows to lie in some region."""
        copies = self._tools.knowledge.copies(self._dataset.name)
        return frozenset(c.snapshot for c in copies if not c.owed)

    @cached_property
    def _forgotten(self) -> frozenset[str]:
        """The snapshots that must not come back."""
        found = self._tools.knowledge.facts(Forgotten, self._dataset.name)
        return frozenset(k.fact.snapshot for k in found)

    def _key(self, named: Named, content: bytes) -> str:
        if named.id in self.keyring.revoked:
            return "it was revoked"
        if named.id in self.keyring.facts:
            return ""
        try:
            master = self.keyring.open(named, content)
        except WrongPassword:
            return "the journal does not know this key, and the dataset's password does not open it"
        except NotGenuine as error:
            return str(error)
        ours = master == self.keyring.master
        return "" if ours else "it opens, but to the master key of another repository"

    def _snapshot(self, snapshot: str, content: bytes) -> str:
        if snapshot in self._forgotten:
            return "it was forgotten"
        return "" if snapshot in self._seen else self._sealed(content)

    def _sealed(self, content: bytes) -> str:
        ours = self.keyring.master.authentic(content)
        return "" if ours else "it was not made with the repository's key"


@dataclass(slots=True)
class _Seen:
    """Key files that did not help.

    `refused` are in order and do not open with the password (by id: whether the journal knows
    them), `unusable` are damaged or no key files, `lost` is why regions could not be asked.
    """

    refused: dict[str, bool] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    lost: list[StorageError] = field(default_factory=list)

    def tried(self, *, known: bool) -> int:
        """How many derivations it has cost."""
        return sum(1 for one in self.refused.values() if one is known)


def read_key(bucket: Bucket, folder: str, named: Named) -> bytes | None:
    """A key file, if it is there and no larger than one can be."""
    if named.size > LARGEST_KEY_FILE:
        return None
    try:
        return bucket.get(f"{folder}/{named.name}")
    except StorageError as error:
        if error.cause == Fault.NO_OBJECT:
            return None
        raise


_masters: dict[tuple[str, str], SealingKey | NotGenuine] = {}
_deriving = threading.Lock()


def _opened(key: str, content: bytes, password: str, tools: Tools) -> SealingKey:
    """What `open_key_file` says of an undamaged key file, derived once in a process."""
    with _deriving:
        if (key, password) not in _masters:
            try:
                _masters[key, password] = open_key_file(content, password)
            except NotGenuine as error:
                _masters[key, password] = error
        master = _masters[key, password]
    if isinstance(master, NotGenuine):
        raise type(master)(*master.args)
    for text in master.shown:
        tools.secrets.hide(text)
    return master


def first_contact(tools: Tools, dataset: Dataset, region: str) -> tuple[KeyKnown, ...]:
    """The keys of a repository of whose keys the journal knows none: those that the password opens.

    Without them an attacker's key could not be told from ours. It costs a look into the journal,
    and the first time half a second for each key file. Empty if the region does not answer: the
    next run tries again.
    """
    keyring = Keyring(tools, dataset, region)
    known = tools.knowledge.facts(KeyKnown, dataset.name)
    if any(k.fact.region in keyring.regions for k in known):
        return ()
    try:
        found = _opening(tools, dataset, region, keyring)
    except (StorageError, ResticError):
        return ()
    home = same_repository(dataset, region)[0]
    return tuple(KeyKnown(dataset.name, home, key, secret=keyring.secret) for key in found)


def _opening(tools: Tools, dataset: Dataset, region: str, keyring: Keyring) -> list[str]:
    """The keys that open to the same master key as the first one that opens."""
    bucket = bucket_of(tools, region_named(tools, region))
    folder = repository_folder(dataset)
    found = list(islice(listed(bucket, folder, Kind.KEYS), _MOST_TRIED))
    opened = [(n.id, _master_of(keyring, n, read_key(bucket, folder, n))) for n in found]
    first = next((master for _, master in opened if master is not None), None)
    return [key for key, master in opened if master is not None and master == first]


def _master_of(keyring: Keyring, named: Named, content: bytes | None) -> SealingKey | None:
    try:
        return None if content is None else keyring.open(named, content)
    except NotGenuine:
        return None


def quarantine(
    tools: Tools, dataset: Dataset, region: str, strange: Mapping[str, str], judge: Genuineness
) -> tuple[tuple[Finding, ...], tuple[Quarantined, ...]]:
    """How strange objects of a region are told: a finding, and facts that stand until they are gone.

    `strange` says by name (below the repository's folder) why each was not copied. What was on
    record and is not found again is looked at: if it is gone or genuine now, that is told, too.
    """
    standing = {
        k.fact.name: k.fact
        for k in tools.knowledge.facts(Quarantined, dataset.name)
        if k.fact.region == region and not k.fact.gone
    }
    chosen = sorted(strange)[:_NAMED]
    news = [
        Quarantined(dataset.name, region, name, strange[name])
        for name in chosen
        if name not in standing or standing[name].why != strange[name]
    ]
    over = [
        Quarantined(dataset.name, region, name, fact.why, gone=True)
        for name, fact in standing.items()
        if name not in strange and _is_over(tools, dataset, region, name, judge)
    ]
    return _told(dataset, region, strange, chosen), (*news, *over)


def _told(
    dataset: Dataset, region: str, strange: Mapping[str, str], chosen: Sequence[str]
) -> tuple[Finding, ...]:
    if not strange:
        return ()
    named = "; ".join(f"{name}: {strange[name]}" for name in chosen)
    more = f" (and {len(strange) - len(chosen)} more)" if len(strange) > len(chosen) else ""
    return (
        Finding(
            "object.quarantined",
            f"{dataset.name} in {region}",
            f"{len(strange)} object(s) are not ours and were copied nowhere: {named}{more}",
            "somebody else may write into this region: change its access key, then see "
            "`drorch status`",
        ),
    )


def _is_over(tools: Tools, dataset: Dataset, region: str, name: str, judge: Genuineness) -> bool:
    """Whether it is gone from there, or turned out to be ours."""
    bucket = bucket_of(tools, region_named(tools, region))
    path = f"{repository_folder(dataset)}/{name}"
    try:
        found = bucket.head(path)
        if found is None:
            return True
        if name == CONFIG:
            return judge.config(bucket.get(path)) == ""
        folder, _, digits = name.rpartition("/")
        named = Named(Kind(folder), bytes.fromhex(digits), found.size)
        return not too_large(named) and judge(named, bucket.get(path)) == ""
    except DrorchError:
        return False
