"""Bringing the lab's regions up and down. Each is one process, one data folder, one key pair."""

import fcntl
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from drorch import loopback
from drorch.lab import rclone, regions
from drorch.lab.regions import DEFAULT_REGIONS, LabError, LabRegion, RegionSpec
from drorch.ports import Commands, Completed, ServiceProcess

#: How long a region may take to answer after its start.
_STARTING = timedelta(seconds=20)

#: How long a region may take to end politely.
_ENDING = timedelta(seconds=3)

#: How often a region that may listen anywhere looks for another port when its own is taken.
_PORT_TRIES = 3


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """How one region stands: its process lives, and it answers."""

    region: LabRegion
    alive: bool
    answers: bool


class Lab:
    """The embedded regions of one folder; several processes may use it, one change at a time."""

    def __init__(self, folder: Path, commands: Commands) -> None:
        self._folder = folder.absolute()
        self._commands = commands

    @property
    def folder(self) -> Path:
        """Where everything of the lab lies."""
        return self._folder

    def up(self, specs: Sequence[RegionSpec] = DEFAULT_REGIONS) -> tuple[LabRegion, ...]:
        """Bring the regions up and wait until each answers; harmless again.

        Raises LabError when a port is taken or a server does not come up; what this call
        started is then ended again. A region that is new and may listen anywhere takes another
        port instead.
        """
        with self._changing():
            known = {r.name: r for r in regions.load(self._folder)}
            movable = {spec.name for spec in specs if not spec.port and spec.name not in known}
            for spec in specs:
                known[spec.name] = self._planned(spec, known.get(spec.name))
            regions.make_secrets(self._folder, known.values())
            wanted = {spec.name for spec in specs}
            self._start_somewhere(known, [n for n in known if n in wanted], movable)
            return tuple(known[spec.name] for spec in specs)

    def down(self) -> tuple[LabRegion, ...]:
        """End every region's process; returns those whose process could not be ended."""
        with self._changing():
            survivors = []
            after = []
            for region in regions.load(self._folder):
                ended = self._ended(region, _ENDING)
                after.append(ended)
                if ended.process is not None:
                    survivors.append(ended)
            if after:
                regions.save(self._folder, after)
            return tuple(survivors)

    def status(self) -> tuple[RegionStatus, ...]:
        """How each known region stands now."""
        return tuple(self._status(r) for r in regions.load(self._folder))

    def kill(self, name: str) -> LabRegion:
        """End one region as a power cut would. Raises LabError if it survives or is unknown."""
        with self._changing():
            ended = self._ended(self._find(name), timedelta())
            self._store(ended)
            if ended.process is not None:
                raise LabError(
                    f"the lab's region {name} could not be ended (pid {ended.process.pid})",
                    f"end it by hand: kill -9 {ended.process.pid}",
                )
            return ended

    def start(self, name: str) -> LabRegion:
        """Bring one known region up again on its data. Raises LabError as `up` does."""
        with self._changing():
            known = {r.name: r for r in regions.load(self._folder)}
            self._find(name)
            self._start_missing(known, [name])
            return known[name]

    def _planned(self, spec: RegionSpec, known: LabRegion | None) -> LabRegion:
        if known is None:
            port = spec.port or loopback.free_port()
            return LabRegion(spec.name, port, spec.jurisdiction, self._folder)
        if spec.port not in {0, known.port} and self._alive(known):
            raise LabError(
                f"the lab's region {spec.name} is up on port {known.port}, not {spec.port}",
                "run `drorch lab down` first",
            )
        return replace(known, port=spec.port or known.port, jurisdiction=spec.jurisdiction)

    def _start_somewhere(
        self, known: dict[str, LabRegion], names: Sequence[str], movable: Collection[str]
    ) -> None:
        """As `_start_missing`; a movable region whose port is taken tries others."""
        for _ in range(_PORT_TRIES):
            try:
                return self._start_missing(known, names)
            except regions.PortTaken as taken:
                if taken.region not in movable:
                    raise
                known[taken.region] = replace(known[taken.region], port=loopback.free_port())
        return self._start_missing(known, names)

    def _start_missing(self, known: dict[str, LabRegion], names: Sequence[str]) -> None:
        """Start what does not live, remembering each at once, then wait for all."""
        started: list[str] = []
        try:
            for name in names:
                if not self._alive(known[name]):
                    known[name] = self._started(known[name])
                    started.append(name)
                    regions.save(self._folder, known.values())
            deadline = time.monotonic() + _STARTING.total_seconds()
            for name in names:
                self._await(known[name], deadline)
        except BaseException:
            for name in started:
                known[name] = self._ended(known[name], timedelta())
            regions.save(self._folder, known.values())
            raise

    def _started(self, region: LabRegion) -> LabRegion:
        if not loopback.is_free(region.port):
            raise regions.PortTaken(region.name, region.port)
        region.bucket.mkdir(mode=0o700, parents=True, exist_ok=True)
        region.log.parent.mkdir(parents=True, exist_ok=True)
        begun = self._commands.start_service(rclone.serve(region, rclone.binary()), region.log)
        if isinstance(begun, Completed):
            raise LabError(
                f"the lab's region {region.name} could not be started: {begun.message}",
                f"see {region.log}",
            )
        return regions.with_process(region, begun)

    def _await(self, region: LabRegion, deadline: float) -> None:
        """Until it answers. Polled: a server has no other way to tell a stranger that it is ready.

        Somebody else may have taken the port since it was looked at, and answer there.
        """
        while not (rclone.answers(region) and self._listens(region)):
            alive = self._alive(region)
            if not alive and (rclone.found_it_taken(region) or not loopback.is_free(region.port)):
                raise regions.PortTaken(region.name, region.port)
            if not alive or time.monotonic() > deadline:
                raise LabError(
                    f"the lab's region {region.name} does not come up: {rclone.last_word(region)}",
                    f"see {region.log}",
                )
            time.sleep(0.02)

    def _ended(self, region: LabRegion, grace: timedelta) -> LabRegion:
        """The region without its process; with it still, if that survived."""
        if region.process is None or self._commands.stop_service(region.process, grace):
            return regions.with_process(region, None)
        return region

    def _listens(self, region: LabRegion) -> bool:
        process = region.process
        return process is not None and rclone.listens(process.pid, region.port)

    def _alive(self, region: LabRegion) -> bool:
        process: ServiceProcess | None = region.process
        return process is not None and self._commands.service_alive(process)

    def _status(self, region: LabRegion) -> RegionStatus:
        alive = self._alive(region)
        return RegionStatus(region, alive, alive and rclone.answers(region))

    def _find(self, name: str) -> LabRegion:
        known = regions.load(self._folder)
        for region in known:
            if region.name == name:
                return region
        names = ", ".join(r.name for r in known) or "none"
        raise LabError(f"the lab has no region {name}", f"it has: {names}; see `drorch lab status`")

    def _store(self, changed: LabRegion) -> None:
        known = regions.load(self._folder)
        regions.save(self._folder, [changed if r.name == changed.name else r for r in known])

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time changes the lab."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
