import base64
import hashlib
import io
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from drorch.core.model import Region
from drorch.storage.client import Credentials, Patience, credentials_of, make_client

REGION = Region("mtl", "http://127.0.0.1:1", "drorch", "CA-QC", location="ca-central-1")


def test_credentials_never_show():
    shown = repr(Credentials("the-id", "the-secret")) + repr(Credentials(profile="toronto"))
    assert "the-id" not in shown
    assert "the-secret" not in shown
    assert "toronto" in shown


class NoSecrets:
    def get(self, name: str, *, anew: bool = False) -> str:
        raise AssertionError(f"{name} was asked for")

    def redact(self, text: str) -> str:
        return text


def test_a_profile_needs_no_secret():
    region = Region("tor", "http://127.0.0.1:1", "drorch", "CA-ON", profile="toronto")
    assert credentials_of(region, NoSecrets()) == Credentials(profile="toronto")


def test_the_client_is_short_tempered_and_is_where_it_was_told():
    patience = Patience(timedelta(seconds=1), timedelta(seconds=2), connections=3)
    client = make_client(REGION, Credentials("abc", "def"), patience)
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1.0, 2.0)
    assert config.max_pool_connections == 3
    assert config.retries["total_max_attempts"] == 1
    assert client.meta.region_name == "ca-central-1"


@pytest.mark.parametrize("module", ["boto3", "botocore", "tenacity", "urllib3"])
def test_importing_the_package_loads_nothing_slow(module):
    code = (
        "import sys, drorch.storage.mirror, drorch.storage.probe, drorch.lab.lab;"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_body_is_signed_with_the_hash_it_is_known_by_and_sent_at_once_in_path_style():
    client = make_client(REGION, Credentials("abc", "def"), Patience())
    sent = []

    def hang_up(request: Any, **_: Any) -> None:
        sent.append(request)
        raise ConnectionAbortedError

    client.meta.events.register("before-send.s3.PutObject", hang_up)
    digest = hashlib.sha256(b"body")
    told = base64.b64encode(digest.digest()).decode()
    with pytest.raises(ConnectionAbortedError):
        client.put_object(Bucket="b", Key="k/l", Body=io.BytesIO(b"body"), ChecksumSHA256=told)
    (request,) = sent
    assert request.url == "http://127.0.0.1:1/b/k/l"
    assert request.headers["X-Amz-Content-SHA256"].decode() == digest.hexdigest()
    assert "Expect" not in request.headers
