"""Is a region there, and is it what the configuration says? Known within seconds, whatever is wrong.

Timeouts of sockets alone do not bound a probe: name resolution cannot be given one, a server may
send a byte now and then, and the credential chain asks services of its own. So each probe runs in
a thread that is left behind when its time is up.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from drorch.core.errors import StorageError
from drorch.core.model import LockMode
from drorch.storage.bucket import Bucket
from drorch.storage.client import Patience, make_client
from drorch.storage.faults import Cause, hint_for, translated
from drorch.storage.loading import load

#: A request of a probe: short, and never repeated.
PROBING = Patience(connect=timedelta(seconds=1.5), read=timedelta(seconds=2.5), connections=4)

#: When a probe's time is up, connecting, name resolution and all answers together.
DEADLINE = timedelta(seconds=4)


class Depth(StrEnum):
    """How much a probe asks."""

    REACHABLE = "reachable"
    FULL = "full"


class Fact(StrEnum):
    """What a probe looks at, in this order."""

    REACHABLE = "reachable"
    CREDENTIALS = "credentials"
    BUCKET = "bucket"
    LOCATION = "location"
    VERSIONING = "versioning"
    OBJECT_LOCK = "object-lock"


class Standing(StrEnum):
    """How a fact stands."""

    PASS = "pass"  # noqa: S105 - a result, not a password
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


#: Without these a region is of no use.
_NEEDED = frozenset({Fact.REACHABLE, Fact.CREDENTIALS, Fact.BUCKET})


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact about a region. `cause` is a word of `faults.Cause`, empty where it passed."""

    fact: Fact
    standing: Standing
    message: str = ""
    hint: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class RegionHealth:
    """What a probe found. `versioning` and the lock are None where unknown or not asked."""

    region: str
    depth: Depth
    facts: tuple[Observation, ...]
    elapsed: timedelta
    location: str | None = None
    versioning: bool | None = None
    lock_mode: LockMode | None = None
    lock_keep: timedelta | None = None

    @property
    def ok(self) -> bool:
        """Whether the region can be used as configured."""
        passed = {f.fact for f in self.facts if f.standing is Standing.PASS}
        return passed >= _NEEDED and self.trouble is None

    @property
    def trouble(self) -> Observation | None:
        """The first failed fact."""
        return next((f for f in self.facts if f.standing is Standing.FAIL), None)

    @property
    def error(self) -> StorageError | None:
        """The first failed fact as an error; None if there is none."""
        found = self.trouble
        if found is None:
            return None
        return StorageError(found.message, found.hint, found.cause, self.region)

    @property
    def locks(self) -> bool:
        """Whether the bucket is known to have an object lock."""
        return any(f.fact is Fact.OBJECT_LOCK and f.standing is Standing.PASS for f in self.facts)

    def raise_for_trouble(self) -> None:
        """Raise StorageError for the first failed fact."""
        if error := self.error:
            raise error


def probe(
    bucket: Bucket, depth: Depth = Depth.REACHABLE, *, deadline: timedelta = DEADLINE
) -> RegionHealth:
    """Ask one region; never raises for what the region does. See `probe_all`."""
    return probe_all([bucket], depth, deadline=deadline)[0]


def probe_all(
    buckets: Sequence[Bucket], depth: Depth = Depth.REACHABLE, *, deadline: timedelta = DEADLINE
) -> tuple[RegionHealth, ...]:
    """Ask all regions at once; back after `deadline` at the latest, in the order given.

    `reachable` is one HeadBucket; `full` also asks for location, versioning and object lock.
    """
    load()  # a busy machine's slow import must not be taken for a slow region
    started = time.monotonic()
    probes = [_Probe(bucket, depth) for bucket in buckets]
    for one in probes:
        one.start()
    return tuple(
        one.wait(started + deadline.total_seconds() - time.monotonic(), deadline) for one in probes
    )


class _Probe:
    """One region being asked, in a thread of its own that nobody waits for beyond the deadline."""

    def __init__(self, bucket: Bucket, depth: Depth) -> None:
        self._bucket = bucket
        self._region = bucket.region
        self._depth = depth
        self._lock = threading.Lock()
        self._seen: dict[Fact, Observation] = {}
        self._known: dict[str, Any] = {}
        self._done = threading.Event()
        self._started = time.monotonic()

    def start(self) -> None:
        name = f"probe-{self._region.name}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def wait(self, seconds: float, deadline: timedelta) -> RegionHealth:
        in_time = self._done.wait(max(0.0, seconds))
        with self._lock:
            seen, known = dict(self._seen), dict(self._known)
        if not in_time:
            missing = next(f for f in Fact if f not in seen)
            seconds_allowed = deadline.total_seconds()
            seen[missing] = self._failed(
                missing, Cause.SLOW, f"no answer within {seconds_allowed:g} seconds"
            )
        asked = (
            list(Fact)
            if self._depth is Depth.FULL
            else [Fact.REACHABLE, Fact.CREDENTIALS, Fact.BUCKET]
        )
        return RegionHealth(
            self._region.name,
            self._depth,
            tuple(
                seen.get(f, Observation(f, Standing.UNKNOWN))
                for f in Fact
                if f in seen or f in asked
            ),
            timedelta(seconds=time.monotonic() - self._started),
            **known,
        )

    def _run(self) -> None:
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 - whatever it was, the region could not be asked
            fact = next((f for f in Fact if f not in self._seen), Fact.REACHABLE)
            self._note(self._failed(fact, Cause.UNREACHABLE, f"cannot be asked: {error!r}"))
        finally:
            self._done.set()

    def _ask(self) -> None:
        try:
            with translated(self._region, "make a client"):
                client: Any = make_client(self._region, self._bucket.credentials, PROBING)
        except StorageError as error:
            fact = Fact.REACHABLE if error.cause == Cause.REFUSED else Fact.CREDENTIALS
            self._note(Observation(fact, Standing.FAIL, error.message, error.hint, error.cause))
            return
        try:
            if self._ask_bucket(client) and self._depth is Depth.FULL:
                for question in (self._ask_location, self._ask_versioning, self._ask_lock):
                    question(client)
        finally:
            client.close()

    def _ask_bucket(self, client: Any) -> bool:
        """HeadBucket tells whether it is there, whether it knows us, and whether the bucket is."""
        try:
            with translated(self._region, "look at the bucket"):
                answer = client.head_bucket(Bucket=self._region.bucket)
        except StorageError as error:
            cause = Cause(error.cause)
            at = _FACT_OF.get(cause, Fact.BUCKET)
            for fact in list(Fact)[: list(Fact).index(at)]:
                self._note(Observation(fact, Standing.PASS))
            self._note(Observation(at, Standing.FAIL, self._told(cause, error), error.hint, cause))
            return False
        for fact in (Fact.REACHABLE, Fact.CREDENTIALS, Fact.BUCKET):
            self._note(Observation(fact, Standing.PASS))
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        if where := headers.get("x-amz-bucket-region"):
            self._note_location(where)
        return True

    def _told(self, cause: Cause, error: StorageError) -> str:
        """A HeadBucket's answer has no body: what the status means is said here."""
        if cause is Cause.NO_BUCKET:
            return f"{self._subject}: there is no bucket {self._region.bucket!r}"
        if cause is Cause.CREDENTIALS and error.message.endswith("answered 403"):
            return f"{self._subject}: it refuses our key, or the key may not use this bucket"
        return error.message

    def _ask_location(self, client: Any) -> None:
        if answer := self._question(Fact.LOCATION, client.get_bucket_location):
            told = answer.get("LocationConstraint") or "us-east-1"
            self._note_location("eu-west-1" if told == "EU" else told)

    def _note_location(self, where: str) -> None:
        self._known["location"] = where
        if where == self._region.location:
            self._note(Observation(Fact.LOCATION, Standing.PASS))
            return
        message = f"its bucket is in {where}, the configuration says {self._region.location}"
        self._note(self._failed(Fact.LOCATION, Cause.WRONG_LOCATION, message))

    def _ask_versioning(self, client: Any) -> None:
        answer = self._question(Fact.VERSIONING, client.get_bucket_versioning)
        if answer is None:
            return
        self._known["versioning"] = on = answer.get("Status") == "Enabled"
        if on:
            self._note(Observation(Fact.VERSIONING, Standing.PASS))
        else:
            self._note(
                self._warned(
                    Fact.VERSIONING, "keeps no versions: what is deleted or overwritten is gone"
                )
            )

    def _ask_lock(self, client: Any) -> None:
        answer = self._question(Fact.OBJECT_LOCK, client.get_object_lock_configuration)
        if answer is None:
            return
        rule = answer.get("ObjectLockConfiguration", {})
        retention = rule.get("Rule", {}).get("DefaultRetention", {})
        if mode := retention.get("Mode"):
            self._known["lock_mode"] = LockMode(mode.lower())
            days = retention.get("Days") or 365 * retention.get("Years", 0)
            self._known["lock_keep"] = timedelta(days=days)
        enabled = rule.get("ObjectLockEnabled") == "Enabled"
        self._note(self._lock_found(enabled))

    def _lock_found(self, enabled: bool) -> Observation:
        if enabled:
            return Observation(Fact.OBJECT_LOCK, Standing.PASS)
        if self._region.object_lock:
            message = "has no object lock, the configuration says it has"
            return self._failed(Fact.OBJECT_LOCK, Cause.NO_LOCK, message)
        return self._warned(
            Fact.OBJECT_LOCK, "has no object lock: who holds the keys can delete every copy in it"
        )

    def _question(
        self, fact: Fact, ask: Callable[..., Mapping[str, Any]]
    ) -> Mapping[str, Any] | None:
        """The answer; None when there is none, which is then noted. "No such setting" is an answer."""
        from botocore.exceptions import ClientError

        try:
            with translated(self._region, f"ask for its {fact}"):
                try:
                    return ask(Bucket=self._region.bucket)
                except ClientError as error:
                    if error.response.get("Error", {}).get("Code") in _NOT_SET:
                        return {}
                    raise
        except StorageError as error:
            lost = Cause(error.cause) in _LOST
            standing = Standing.FAIL if lost else Standing.WARN
            self._note(Observation(fact, standing, error.message, error.hint, error.cause))
            return None

    def _failed(self, fact: Fact, cause: Cause, message: str) -> Observation:
        text = message if message.startswith("region ") else f"{self._subject}: {message}"
        return Observation(fact, Standing.FAIL, text, hint_for(cause), cause)

    def _warned(self, fact: Fact, message: str) -> Observation:
        hint = "make a bucket with versioning and object lock, and set the region's `object_lock`"
        return Observation(fact, Standing.WARN, f"{self._subject} {message}", hint)

    @property
    def _subject(self) -> str:
        return f"region {self._region.name} ({self._region.endpoint})"

    def _note(self, observation: Observation) -> None:
        with self._lock:
            self._seen[observation.fact] = observation


#: At which fact a cause shows itself; everything before it is then known to be good.
_FACT_OF = {
    Cause.UNREACHABLE: Fact.REACHABLE,
    Cause.DNS: Fact.REACHABLE,
    Cause.TLS: Fact.REACHABLE,
    Cause.SLOW: Fact.REACHABLE,
    Cause.SERVER_ERROR: Fact.REACHABLE,
    Cause.CREDENTIALS: Fact.CREDENTIALS,
    Cause.EXPIRED: Fact.CREDENTIALS,
    Cause.CLOCK_SKEW: Fact.CREDENTIALS,
    Cause.NO_BUCKET: Fact.BUCKET,
    Cause.WRONG_LOCATION: Fact.LOCATION,
}

#: Causes that mean the region went away between two questions.
_LOST = frozenset({Cause.UNREACHABLE, Cause.DNS, Cause.TLS, Cause.SLOW})

#: Codes by which a store says that a bucket has no such setting, or the store no such feature.
_NOT_SET = frozenset(
    {"ObjectLockConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed", "501", "405"}
)
