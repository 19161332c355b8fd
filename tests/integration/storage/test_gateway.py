"""restic and others before a gateway, real regions behind it: what comes where, and what faults do."""

import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from math import inf
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import Region
from drorch.lab.regions import LabRegion
from drorch.storage.bucket import Bucket
from drorch.storage.faults import Cause
from drorch.storage.gateway import Deletions, Gateway
from drorch.storage.layout import Kind, listed
from drorch.storage.mirror import mirror
from drorch.storage.replicas import Replicas
from drorch.storage.rest import serving
from tests.faulty import Faulty, in_front_of
from tests.harms import Asked, Harm, between, once, well
from tests.integration.app.premises import restics
from tests.integration.app.quick_keys import quicken
from tests.regions import credentials_of

PASSWORD = "drill"
KINDS = (Kind.KEYS, Kind.DATA, Kind.INDEX, Kind.SNAPSHOTS)


class Restic:
    """restic by hand."""

    def __init__(self, binary: Path, folder: Path) -> None:
        self.binary = binary
        self.folder = folder

    def line(self, *words: str) -> list[str]:
        return [str(self.binary), "--no-cache", *words]

    def environment(self, url: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "RESTIC_REPOSITORY": url,
            "RESTIC_PASSWORD": PASSWORD,
        }

    def __call__(self, url: str, *words: str) -> str:
        return self._said(self.environment(url), words)

    def direct(self, region, bucket: Bucket, repository: str, *words: str) -> str:
        """Against one region's S3, without a gateway."""
        keys = credentials_of(region)
        prefix = f"{bucket.region.prefix}/" if bucket.region.prefix else ""
        url = f"s3:{region.endpoint}/drorch/{prefix}{repository}"
        own = {
            "AWS_ACCESS_KEY_ID": str(keys.access_key),
            "AWS_SECRET_ACCESS_KEY": str(keys.secret_key),
        }
        return self._said(self.environment(url) | own, words)

    def _said(self, environment: dict[str, str], words: Sequence[str]) -> str:
        done = subprocess.run(
            self.line(*words), env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout


@pytest.fixture
def restic(any_restic, tmp_path) -> Restic:
    return Restic(any_restic, tmp_path)


@pytest.fixture
def files(tmp_path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    chance = random.Random(7)
    for n in range(30):
        (folder / str(n)).write_bytes(chance.randbytes(200_000))
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> dict[str, bytes]:
    """The objects of a repository that holds nothing yet, whose password is quick to try."""
    folder = tmp_path_factory.mktemp("empty")
    Restic(restics()[-1], folder)(str(folder / "repo"), "init")
    quicken([folder / "repo" / "keys"], PASSWORD)
    objects = [path for path in (folder / "repo").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder / "repo")): path.read_bytes() for path in objects}


@pytest.fixture
def made(empty, source, destination, repository) -> tuple[Bucket, Bucket]:
    """A repository in the first region, and mirrored."""
    for name, content in empty.items():
        source.put(f"{repository}/{name}", content)
    mirror(source, destination, repository)
    return source, destination


@contextmanager
def gateway(buckets, repository: str, **how) -> Iterator[tuple[Gateway, str]]:
    known = {k: how.pop(k) for k in ("gone", "lost") if k in how}
    opened = Gateway(Replicas(buckets, repository, **known), **how)
    with serving(opened) as url:
        yield opened, url


def impatient(described: Region, region: LabRegion) -> Bucket:
    """A region that is soon given up: how long is waited for it is not what these tests are about."""
    return Bucket(described, credentials_of(region), give_up_after=timedelta(seconds=1))


def content(bucket: Bucket, repository: str) -> set[str]:
    return {n.name for kind in KINDS for n in listed(bucket, repository, kind)}


def locks(bucket: Bucket, repository: str) -> list[str]:
    return [o.name for o in bucket.list_objects(f"{repository}/locks/")]


def all_are_what_their_names_say(bucket: Bucket, repository: str) -> bool:
    found = [n for kind in KINDS for n in listed(bucket, repository, kind)]
    return all(n.is_of(bucket.get(f"{repository}/{n.name}")) for n in found)


@pytest.mark.every_restic
def test_a_backup_lies_whole_in_both_regions_when_it_ends(restic, regions, made, repository, files):
    with gateway(made, repository) as (opened, url):
        restic(url, "backup", str(files))
        (files / "new").write_bytes(b"new")
        restic(url, "backup", str(files))
    assert content(made[0], repository) == content(made[1], repository)
    assert [(r.region, r.whole, r.level) for r in opened.replicas.all] == [
        ("mtl", True, True),
        ("qc", True, True),
    ]
    assert len(opened.traffic.of("snapshots")) == 2
    for region, bucket in zip(regions, made, strict=False):
        assert locks(bucket, repository) == []
        restic.direct(region, bucket, repository, "check", "--read-data")


def test_restores_and_checks_go_through_it_too(restic, made, repository, files, tmp_path):
    with gateway(made, repository) as (_, url):
        restic(url, "backup", str(files))
        restic(url, "check", "--read-data")
        restic(url, "restore", "latest", "--target", str(tmp_path / "back"))
    for path in files.iterdir():
        assert (tmp_path / "back" / path.relative_to("/")).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("victim", [0, 1])
def test_a_region_that_dies_half_way_is_left_out_and_the_backup_goes_on(
    restic, regions, made, repository, files, victim
):
    """Whichever of the two: what was acknowledged before lies in the other, too."""
    before = content(made[victim], repository)
    with ExitStack() as stack:
        proxy = stack.enter_context(in_front_of(regions[victim], well))
        seen = list(made)
        described = replace(proxy.as_region(), prefix=made[victim].region.prefix)
        seen[victim] = impatient(described, regions[victim])
        opened, url = stack.enter_context(gateway(seen, repository))
        opened.surveyed()
        proxy.become(between(3, inf, Harm.DIES))
        restic(url, "backup", str(files))
        survivors = [r.region for r in opened.replicas.readers()]
    name = regions[victim].name
    assert survivors == [regions[1 - victim].name]
    assert opened.replicas.troubles[name].cause == Cause.UNREACHABLE
    survivor = 1 - victim
    restic.direct(regions[survivor], made[survivor], repository, "check", "--read-data")
    shown = json.loads(
        restic.direct(regions[survivor], made[survivor], repository, "snapshots", "--json")
    )
    assert [s["id"] for s in shown] == opened.traffic.of("snapshots")
    # What did come into the dead one is undamaged, and names nothing that it does not hold.
    assert content(made[victim], repository) >= before
    restic.direct(regions[victim], made[victim], repository, "check", "--read-data", "--no-lock")


def test_a_region_that_refuses_what_is_written_is_told_at_once(regions, made, repository):
    """restic would go on asking for a quarter of an hour."""
    told: list[StorageError] = []
    over = threading.Event()

    def lost(error: StorageError) -> None:
        told.append(error)
        over.set()

    def refuses(asked: Asked) -> Harm | None:
        return Harm.EXPIRED if asked.method == "PUT" else None

    with in_front_of(regions[0], refuses) as proxy:
        bucket = impatient(proxy.as_region(), regions[0])
        with gateway([bucket], repository, lost=lost):
            assert over.wait(60)
    assert [error.cause for error in told] == [Cause.EXPIRED]


@pytest.mark.parametrize("answers", [0, 3, 5])
def test_when_no_region_is_left_restic_is_refused_and_the_caller_is_told_once(
    answers, restic, regions, made, repository, files
):
    told: list[StorageError] = []
    over = threading.Event()

    def lost(error: StorageError) -> None:
        told.append(error)
        over.set()

    with ExitStack() as stack:
        proxies = [stack.enter_context(in_front_of(region, well)) for region in regions]
        buckets = [impatient(p.as_region(), r) for p, r in zip(proxies, regions, strict=True)]
        mirror(made[0], buckets[1], repository)
        opened, url = stack.enter_context(gateway(buckets, repository, lost=lost))
        opened.surveyed()
        for proxy in proxies:
            proxy.become(between(answers, inf, Harm.DIES))
        process = stack.enter_context(
            subprocess.Popen(
                restic.line("backup", str(files)),
                env=restic.environment(url),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        try:
            assert over.wait(60)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert [error.cause for error in told] == [Cause.UNREACHABLE]
    assert list(listed(made[0], repository, Kind.SNAPSHOTS)) == []


def test_a_region_that_is_behind_gets_data_but_nothing_that_names_what_it_lacks(
    restic, regions, made, repository, files
):
    restic.direct(regions[0], made[0], repository, "backup", str(files))
    (files / "new").write_bytes(os.urandom(300_000))
    with gateway(made, repository) as (opened, url):
        restic(url, "backup", str(files))
    assert [(r.whole, r.level) for r in opened.replicas.all] == [(True, True), (False, False)]
    for kind in (Kind.INDEX, Kind.SNAPSHOTS):
        assert list(listed(made[1], repository, kind)) == []
    brought = {n.name for n in listed(made[1], repository, Kind.DATA)}
    assert brought
    assert brought < {n.name for n in listed(made[0], repository, Kind.DATA)}
    restic.direct(regions[1], made[1], repository, "check", "--read-data")


def test_what_is_gone_is_not_shown_and_is_no_reason_to_be_behind(
    restic, regions, made, repository, files
):
    restic.direct(regions[0], made[0], repository, "backup", str(files))
    mirror(*made, repository)
    (snapshot,) = listed(made[0], repository, Kind.SNAPSHOTS)
    made[1].delete(f"{repository}/{snapshot.name}")
    with gateway(made, repository, gone=[snapshot.id]) as (opened, url):
        assert json.loads(restic(url, "snapshots", "--json")) == []
    assert all(r.level for r in opened.replicas.all)


@pytest.mark.every_restic
def test_deletions_are_held_back_and_listed(restic, regions, made, repository, files):
    with gateway(made, repository) as (_, url):
        restic(url, "backup", str(files))
    for path in list(files.iterdir())[:20]:
        path.unlink()
    with gateway(made, repository) as (_, url):
        restic(url, "backup", str(files))
    before = content(made[0], repository)
    with gateway(made, repository, deletions=Deletions.HOLD) as (opened, url):
        restic(url, "forget", "--keep-last", "1", "--prune", "--max-unused", "0")
        assert len(json.loads(restic(url, "snapshots", "--json"))) == 1
        restic(url, "check")
    held = opened.held
    assert {name.split("/")[0] for name in held} == {"snapshots", "index", "data"}
    for region, bucket in zip(regions, made, strict=False):
        assert content(bucket, repository) >= before | held
        for name in held:
            bucket.delete(f"{repository}/{name}")
        restic.direct(region, bucket, repository, "check", "--read-data")


def test_a_backup_can_delete_nothing(restic, made, repository, files):
    with gateway(made, repository) as (opened, url):
        restic(url, "backup", str(files))
        before = content(made[0], repository)
        restic(url, "forget", "--keep-last", "1", "latest")
        restic(url, "prune", "--max-unused", "0")
    assert content(made[0], repository) >= before
    assert opened.held == frozenset()


def test_locks_stand_in_every_region_and_are_seen_from_each(made, repository):
    with gateway(made, repository) as (opened, _):
        theirs = os.urandom(50)
        name = hashlib.sha256(theirs).hexdigest()
        made[1].put(f"{repository}/locks/{name}", theirs)
        assert list(opened.names("locks")) == [(name, 50)]
        ours = os.urandom(60)
        body = [ours, b""]
        own = hashlib.sha256(ours).hexdigest()
        opened.store("locks", own, 60, lambda _: body.pop(0))
        for bucket in made:
            assert f"{repository}/locks/{own}" in locks(bucket, repository)
    # What restic left behind when it ended is removed, and nobody else's.
    assert locks(made[0], repository) == []
    assert locks(made[1], repository) == [f"{repository}/locks/{name}"]
    made[1].delete(f"{repository}/locks/{name}")


@pytest.mark.parametrize("harm", [Harm.FLIPPED, Harm.RESET_WITHIN, Harm.SERVER_ERROR])
def test_what_went_wrong_on_the_way_to_one_region_is_mended_from_the_other(
    regions, made, repository, harm
):
    with ExitStack() as stack:
        plan = once(harm, lambda asked: asked.method == "PUT" and "/data/" in asked.target)
        proxy = stack.enter_context(in_front_of(regions[1], plan))
        second = Bucket(proxy.as_region(), credentials_of(regions[1]))
        mirror(made[0], made[1], repository)
        mirror(made[0], second, repository)
        proxy.become(plan)
        opened, _ = stack.enter_context(gateway([made[0], second], repository))
        content_, name = _named(random.Random(1).randbytes(900_000))
        opened.store("data", name, len(content_), _reader(content_))
        assert [r.living for r in opened.replicas.all] == [True, True]
        assert proxy.injected == {harm: 1}
        assert second.get(f"{repository}/data/{name[:2]}/{name}") == content_


def _named(content_: bytes) -> tuple[bytes, str]:
    return content_, hashlib.sha256(content_).hexdigest()


def _reader(content_: bytes) -> Callable[[int], bytes]:
    view = memoryview(content_)
    at = [0]

    def read(size: int) -> bytes:
        piece = bytes(view[at[0] : at[0] + size])
        at[0] += len(piece)
        return piece

    return read


class Client:
    """Somebody who speaks HTTP to the gateway."""

    def __init__(self, url: str, password: str | None = None) -> None:
        found = urlsplit(url.removeprefix("rest:"))
        pair = f"drorch:{found.password if password is None else password}"
        self.headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        self.place = (found.hostname, found.port)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str):
        connection = http.client.HTTPConnection(*self.place, timeout=30)
        try:
            connection.request(method, path, body, self.headers | headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def test_who_does_not_know_the_password_is_told_nothing(made, repository):
    with gateway(made, repository) as (_, url):
        assert Client(url, "guessed").ask("GET", "/config") == (401, b"")
        assert Client(url).ask("GET", "/config") == (200, made[0].get(f"{repository}/config"))


@pytest.mark.parametrize(
    "path", ["/", "/../config", "/data/../config", "/locks/" + "g" * 64, "/keys/12"]
)
def test_what_is_no_name_of_restics_is_not_there(made, repository, path):
    with gateway(made, repository) as (_, url):
        for method in ("GET", "POST", "DELETE", "HEAD"):
            assert Client(url).ask(method, path, b"" if method == "POST" else None)[0] == 404


def test_a_body_that_is_not_what_its_name_says_appears_nowhere(made, repository):
    right, name = _named(os.urandom(700_000))
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    with gateway(made, repository) as (opened, url):
        assert Client(url).ask("POST", f"/data/{name}", wrong)[0] == 400
        assert all(r.living for r in opened.replicas.all)
        for bucket in made:
            assert bucket.head(f"{repository}/data/{name[:2]}/{name}") is None
        assert Client(url).ask("POST", f"/data/{name}", right)[0] == 200
        for bucket in made:
            assert bucket.get(f"{repository}/data/{name[:2]}/{name}") == right


def test_parts_of_objects_are_read_and_what_one_region_lost_comes_from_another(made, repository):
    whole, name = _named(os.urandom(100_000))
    for bucket in made:
        bucket.put(f"{repository}/data/{name[:2]}/{name}", whole)
    made[0].delete(f"{repository}/data/{name[:2]}/{name}")
    with gateway(made, repository) as (_, url):
        client = Client(url)
        assert client.ask("GET", f"/data/{name}", Range="bytes=10-19") == (206, whole[10:20])
        assert client.ask("GET", f"/data/{name}", Range="bytes=99990-") == (206, whole[99_990:])
        assert client.ask("GET", f"/data/{name}") == (200, whole)
        assert client.ask("HEAD", f"/data/{'0' * 64}")[0] == 404


def test_a_gateway_makes_and_removes_no_repository(made, repository):
    with gateway(made, repository) as (_, url):
        before = made[0].get(f"{repository}/config")
        assert Client(url).ask("POST", "/config", b"another")[0] == 503
        assert Client(url).ask("DELETE", "/config")[0] == 503
        assert made[0].get(f"{repository}/config") == before


@pytest.mark.parametrize("what", ["config", "keys"])
def test_a_region_whose_config_or_keys_are_gone_takes_no_part(
    restic, regions, made, repository, files, what
):
    """Somebody destroyed them: restic alone would say that the password is wrong."""
    for entry in list(made[0].list_objects(f"{repository}/{what}")):
        made[0].delete(entry.name)
    with gateway(made, repository) as (opened, url):
        restic(url, "backup", str(files))
    assert opened.replicas.troubles["mtl"].cause == Cause.NO_REPOSITORY
    restic.direct(regions[1], made[1], repository, "check", "--read-data")


def test_two_repositories_are_never_mixed(made, repository):
    made[1].put(f"{repository}/config", b"of another repository")
    with gateway(made, repository) as (opened, _):
        assert opened.surveyed().troubles["qc"].cause == Cause.DIFFERENT_REPOSITORY
        assert [r.region for r in opened.replicas.readers()] == ["mtl"]


def test_a_survey_that_hangs_is_over_in_seconds(made, repository, regions):
    with ExitStack() as stack:
        proxy: Faulty = stack.enter_context(
            in_front_of(regions[0], lambda _asked: Harm.STALLED, stall=30)
        )
        hanging = Bucket(proxy.as_region(), credentials_of(regions[0]))
        opened, _ = stack.enter_context(gateway([hanging, made[1]], repository))
        assert opened.surveyed().troubles["mtl"].cause == Cause.SLOW
        assert [r.region for r in opened.replicas.readers()] == ["qc"]
