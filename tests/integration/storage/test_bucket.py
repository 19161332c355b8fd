import hashlib
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from drorch.core.errors import StorageError
from drorch.core.model import Region
from drorch.storage.bucket import Bucket, close_buckets, open_bucket
from drorch.storage.client import Credentials
from drorch.storage.faults import Cause
from drorch.storage.layout import resolve_snapshot
from tests import storage_faults
from tests.regions import bucket_of, credentials_of


class FileSecrets:
    """Secrets that lie in the lab's own files."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def get(self, name: str, *, anew: bool = False) -> str:
        return (self.folder / name).read_text().strip()

    def redact(self, text: str) -> str:
        return text


def test_what_is_put_is_there_below_the_prefix(destination, regions, repository):
    destination.put(f"{repository}/config", b"content")
    assert destination.get(f"{repository}/config") == b"content"
    found = destination.head(f"{repository}/config")
    assert found is not None
    assert (found.name, found.size, found.modified.tzinfo) == (f"{repository}/config", 7, UTC)
    assert [o.name for o in destination.list_objects(repository)] == [f"{repository}/config"]
    assert (regions[1].bucket / "prod/west" / repository / "config").read_bytes() == b"content"


def test_deleting_is_harmless_again(source, repository):
    source.put(f"{repository}/x", b"1")
    source.delete(f"{repository}/x")
    source.delete(f"{repository}/x")
    assert source.head(f"{repository}/x") is None
    assert list(source.list_objects(repository)) == []


def test_a_listing_goes_on_page_after_page(source, repository):
    names = [f"{repository}/{n:04}" for n in range(1_005)]
    for name in names:
        source.put(name, b"")
    assert [o.name for o in source.list_objects(f"{repository}/")] == names


def test_a_file_appears_only_when_whole(source, repository, tmp_path):
    content = bytes(range(256)) * 4_000
    source.put(f"{repository}/big", content)
    target = tmp_path / "big"
    assert source.get_file(f"{repository}/big", target) == hashlib.sha256(content).hexdigest()
    assert target.read_bytes() == content
    with pytest.raises(StorageError):
        source.get_file(f"{repository}/missing", tmp_path / "missing")
    assert [p.name for p in tmp_path.iterdir()] == ["big"]


def test_a_missing_object_says_so(source, repository):
    with pytest.raises(StorageError, match=r"cannot read .*/nothing") as caught:
        source.get(f"{repository}/nothing")
    assert caught.value.cause == Cause.NO_OBJECT


def test_a_missing_bucket_is_made_only_when_asked(regions):
    region = replace(regions[0].as_region(), bucket="made-later")
    bucket = Bucket(region, credentials_of(regions[0]))
    with pytest.raises(StorageError) as caught:
        bucket.put("a", b"b")
    assert caught.value.cause == Cause.NO_BUCKET
    assert not (regions[0].data / "made-later").exists()
    assert bucket.create()
    assert not bucket.create()
    bucket.put("a", b"b")
    bucket.close()


def test_wrong_credentials_are_not_tried_again(regions):
    bucket = Bucket(
        regions[0].as_region(), Credentials("nobody", "nothing"), give_up_after=timedelta(hours=1)
    )
    with pytest.raises(StorageError) as caught:
        bucket.get("x")
    assert caught.value.cause == Cause.CREDENTIALS
    bucket.close()


SLOW_DOWN = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Length: 39\r\n\r\n<Error><Code>SlowDown</Code></Error>   \n"
)
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhe"
ERROR = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("bad", [SLOW_DOWN, ERROR, SHORT, b""])
def test_what_passes_by_itself_is_tried_again(bad):
    with storage_faults.answering(bad, bad, HELLO) as endpoint:
        bucket = Bucket(Region("far", endpoint, "b", "CA"), Credentials("abc", "def"))
        assert bucket.get("greeting") == b"hello"
        bucket.close()


def test_trying_again_ends():
    with storage_faults.answering(ERROR) as endpoint:
        bucket = Bucket(
            Region("far", endpoint, "b", "CA"),
            Credentials("abc", "def"),
            give_up_after=timedelta(seconds=0.5),
        )
        with pytest.raises(StorageError) as caught:
            bucket.get("greeting")
        bucket.close()
    assert caught.value.cause == Cause.SERVER_ERROR


def test_one_bucket_for_each_region_in_a_process(regions):
    secrets = FileSecrets(regions[0].folder / "secrets")
    first = open_bucket(regions[0].as_region(), secrets)
    assert open_bucket(regions[0].as_region(), secrets) is first
    assert open_bucket(regions[1].as_region(), secrets) is not first
    first.put("opened", b"yes")
    assert bucket_of(regions[0]).get("opened") == b"yes"
    close_buckets()
    assert open_bucket(regions[0].as_region(), secrets) is not first
    close_buckets()


def test_a_short_snapshot_id_is_resolved(source, repository):
    ids = ["ab" + "0" * 62, "ab" + "1" * 62, "cd" + "2" * 62]
    for name in ids:
        source.put(f"{repository}/snapshots/{name}", b"")
    assert resolve_snapshot(source, repository, "cd") == ids[2]
    assert resolve_snapshot(source, repository, "ab1") == ids[1]
    for short, cause in (("ab", Cause.AMBIGUOUS), ("ef", Cause.NO_SNAPSHOT)):
        with pytest.raises(StorageError) as caught:
            resolve_snapshot(source, repository, short)
        assert caught.value.cause == cause
        assert caught.value.hint
