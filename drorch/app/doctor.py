"""Use case `doctor`: whatever would stop a backup or a failover, found before it does."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from drorch.actions.places import bucket_of, repository_folder, restic_of
from drorch.app.diagnosis import Check, Diagnosis, good, told
from drorch.app.drills import check as check_runbooks
from drorch.app.evidence import evidence_checks
from drorch.app.kit_known import kit_checks
from drorch.app.plane import posture as plane
from drorch.app.program import Program
from drorch.app.safeguards import deletions, locks
from drorch.core.errors import DrorchError, ResticError
from drorch.core.model import CopyMode, Dataset
from drorch.core.staleness import OLD, Seen, in_words
from drorch.core.values import Value
from drorch.restic.sources import check_sources
from drorch.storage.layout import CONFIG, LOCKS
from drorch.storage.probe import Depth, RegionHealth, Standing, probe_all

#: Less free space than this beside the state is a warning, in bytes.
_ROOM = 1 << 30

#: With less than this a run may not even be able to record that it failed.
_NO_ROOM = 1 << 24


def doctor(program: Program) -> dict[str, Value]:
    """The contract's document of `doctor --json`. Looks at everything; makes the state if there is
    none, and one tiny object in each bucket that keeps versions, and changes nothing else.
    """
    healths = _regions(program)
    looks: dict[str, Callable[[], Iterator[Check]]] = {
        "secret": lambda: _secrets(program),
        "restic": lambda: _restic(program),
        "journal": lambda: _journal(program),
        "region": lambda: _of_regions(healths),
        "region.deletion": lambda: deletions(program, _usable_ones(healths)),
        "lock": lambda: locks(program, _usable_ones(healths)),
        "dataset": lambda: _datasets(program),
        "repository": lambda: _repositories(program, healths),
        "evidence": lambda: evidence_checks(program),
        "runbook": lambda: _runbooks(program),
        "control-plane": lambda: plane.checks(program),
        "kit": lambda: kit_checks(program),
    }
    checks = [check for word, look in looks.items() for check in _looked(word, look)]
    return {
        "ok": all(c.result is not Diagnosis.FAIL for c in checks),
        "checks": [c.document for c in checks],
    }


def _looked(word: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """What was found; a look that could not be finished is a finding too, and ends no other."""
    try:
        yield from look()
    except DrorchError as error:
        yield told(word, "", error)
    except OSError as error:
        hint = "let drorch read it, or correct its path in the configuration"
        yield Check(word, str(error.filename or ""), Diagnosis.FAIL, str(error.strerror), hint)


def _secrets(program: Program) -> Iterator[Check]:
    wrong = {p.name: p for p in program.secrets.problems()}
    for name in program.configuration.secrets:
        if name not in wrong:
            yield good("secret", name)
            continue
        problem = wrong[name]
        result = Diagnosis.FAIL if problem.grave else Diagnosis.WARN
        yield Check("secret", name, result, problem.message, problem.hint)


def _restic(program: Program) -> Iterator[Check]:
    try:
        capabilities = restic_of(program.tools).capabilities()
    except DrorchError as error:
        yield told("restic", program.tools.restic_binary, error)
    else:
        yield good("restic", program.tools.restic_binary, f"version {capabilities.version}")


def _journal(program: Program) -> Iterator[Check]:
    subject = program.configuration.state
    try:
        program.journal.rows(limit=1)
        with program.journal.writing():
            pass  # nothing is written, but it could be
    except DrorchError as error:
        yield told("journal", subject, error)
    else:
        yield good("journal", subject)
    yield _room(program.configuration.work)


def _room(folder: Path) -> Check:
    there = next(p for p in (folder, *folder.parents) if os.path.lexists(p))
    free = shutil.disk_usage(there).free
    message = f"{free / (1 << 30):.1f} GiB free"
    if free < _ROOM:
        result = Diagnosis.FAIL if free < _NO_ROOM else Diagnosis.WARN
        hint = "make room: a journal that cannot be written stops every run"
        return Check("space", str(folder), result, message, hint)
    return good("space", str(folder), message)


def _regions(program: Program) -> dict[str, RegionHealth | DrorchError]:
    found: dict[str, RegionHealth | DrorchError] = {}
    usable = []
    for region in program.configuration.regions.values():
        try:
            usable.append((region.name, bucket_of(program.tools, region)))
        except DrorchError as error:
            found[region.name] = error
    healths = probe_all([bucket for _, bucket in usable], Depth.FULL)
    for (name, _), health in zip(usable, healths, strict=True):
        found[name] = health
    return found


def _of_regions(healths: dict[str, RegionHealth | DrorchError]) -> Iterator[Check]:
    results = {Standing.FAIL: Diagnosis.FAIL, Standing.WARN: Diagnosis.WARN}
    for name, health in healths.items():
        if isinstance(health, DrorchError):
            yield told("region", name, health)
            continue
        if health.trouble is None:
            took = f"answers in {health.elapsed.total_seconds() * 1000:.0f} ms"
            yield good("region", name, took)
        for fact in health.facts:
            if fact.standing in results:
                result = results[fact.standing]
                yield Check(f"region.{fact.fact}", name, result, fact.message, fact.hint)


def _datasets(program: Program) -> Iterator[Check]:
    for dataset in program.configuration.datasets.values():
        yield from _sources(program, dataset)
        for copy in dataset.copies:
            if copy.mode is CopyMode.COPY and copy.password == dataset.password:
                yield Check(
                    "password",
                    f"{dataset.name} in {copy.region}",
                    Diagnosis.WARN,
                    "the copy has the dataset's own password: who learns one opens both",
                    "give it one of its own: {mode: copy, password: NAME}",
                )


def _sources(program: Program, dataset: Dataset) -> Iterator[Check]:
    if dataset.dump is not None:
        yield _program(program, dataset.name, dataset.dump.command[0])
    for command in (*dataset.before, *dataset.after):
        yield _program(program, dataset.name, command[0])
    for path in dataset.paths:
        subject = f"{dataset.name}: {path}"
        try:
            check_sources([path])
        except ResticError as error:
            yield told("source", subject, error)
        else:
            yield good("source", subject)


def _program(program: Program, dataset: str, name: str) -> Check:
    path = program.environment.get("PATH")
    where = str(program.configuration.folder / name) if "/" in name else name
    subject = f"{dataset}: {name}"
    if shutil.which(where, path=path) is None:
        message = f"there is no program {name}"
        return Check(
            "command", subject, Diagnosis.FAIL, message, "install it, or correct the command"
        )
    return good("command", subject)


def _repositories(
    program: Program, healths: dict[str, RegionHealth | DrorchError]
) -> Iterator[Check]:
    pairs = [
        (dataset, region)
        for dataset in program.configuration.datasets.values()
        for region in dataset.regions
        if _usable(healths[region])
    ]
    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(lambda pair: _repository(program, *pair), pairs)
        yield from (c for c in pool.map(lambda pair: _locks(program, *pair), pairs) if c)


def _usable_ones(
    healths: dict[str, RegionHealth | DrorchError],
) -> dict[str, RegionHealth]:
    return {n: h for n, h in healths.items() if isinstance(h, RegionHealth) and h.trouble is None}


def _usable(health: RegionHealth | DrorchError) -> bool:
    return isinstance(health, RegionHealth) and health.trouble is None


def _repository(program: Program, dataset: Dataset, region: str) -> Check:
    subject = f"{dataset.name} in {region}"
    bucket = bucket_of(program.tools, program.region(region))
    try:
        there = bucket.head(f"{repository_folder(dataset)}/{CONFIG}") is not None
    except DrorchError as error:
        return told("repository", subject, error)
    if there:
        return good("repository", subject)
    message = f"region {region} holds no repository of {dataset.name}"
    return Check("repository", subject, Diagnosis.FAIL, message, "make it with: drorch repo init")


def _locks(program: Program, dataset: Dataset, region: str) -> Check | None:
    """A warning of locks that nobody refreshes any more; None if there are none."""
    now = program.clock.now()
    folder = f"{repository_folder(dataset)}/{LOCKS}/"
    try:
        entries = list(bucket_of(program.tools, program.region(region)).list_objects(folder))
    except DrorchError:
        return None  # told with the repository
    old = [Seen(e.name, e.modified, now) for e in entries if now.at - e.modified >= OLD]
    if not old:
        return None
    message, hint = in_words(dataset.name, old, now.at)
    return Check("lock", f"{dataset.name} in {region}", Diagnosis.WARN, message, hint)


def _runbooks(program: Program) -> Iterator[Check]:
    named = _named_runbooks(program)
    folder = program.configuration.runbooks
    if not folder.is_dir():
        result = Diagnosis.FAIL if named else Diagnosis.WARN
        hint = "make it, or name another under `runbooks:`"
        yield Check("runbooks", str(folder), result, "there is no such folder", hint)
        return
    for name, problems in check_runbooks(program).items():
        if not problems:
            yield good("runbook", name)
        for problem in problems:
            yield Check("runbook", name, Diagnosis.FAIL, str(problem), problem.hint)
    for name in named:
        if program.runbooks.read(name) is None:
            hint = f"write {folder / name}.yaml, or correct the name"
            yield Check("runbook", name, Diagnosis.FAIL, "there is no such runbook", hint)


def _named_runbooks(program: Program) -> Sequence[str]:
    services = [s.runbook for s in program.configuration.services.values() if s.runbook]
    drills = [d.runbook for d in program.configuration.drills.values()]
    return list(dict.fromkeys(services + drills))
