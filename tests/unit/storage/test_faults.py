import socket
from datetime import UTC, datetime, timedelta

import pytest
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError
from urllib3.exceptions import NameResolutionError

from drorch.core.errors import StorageError
from drorch.core.model import Region
from drorch.storage.faults import Cause, diagnose, hint_for, translated

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
URL = "http://region.example"
REGION = Region("qc", URL, "drorch", "CA-QC")


def answer(status: int, code: str = "", operation: str = "GetObject", **headers: str) -> Exception:
    return boto.ClientError(
        {
            "Error": {"Code": code, "Message": ""},
            "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": headers},
        },
        operation,
    )


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (answer(403, "InvalidAccessKeyId"), Cause.CREDENTIALS),
        (answer(403, "SignatureDoesNotMatch"), Cause.CREDENTIALS),
        (answer(400, "ExpiredToken"), Cause.EXPIRED),
        (answer(403, "403", "HeadBucket"), Cause.CREDENTIALS),
        (answer(403, "RequestTimeTooSkewed"), Cause.CLOCK_SKEW),
        (answer(404, "NoSuchBucket"), Cause.NO_BUCKET),
        (answer(404, "404", "HeadBucket"), Cause.NO_BUCKET),
        (answer(404, "404", "HeadObject"), Cause.NO_OBJECT),
        (answer(404, "NoSuchKey"), Cause.NO_OBJECT),
        (answer(301, "PermanentRedirect"), Cause.WRONG_LOCATION),
        (answer(503, "SlowDown"), Cause.SLOW),
        (answer(500, "InternalError"), Cause.SERVER_ERROR),
        (answer(400, "BadDigest"), Cause.SERVER_ERROR),
        (answer(400, "InvalidArgument"), Cause.REFUSED),
        (boto.SSLError(endpoint_url=URL, error=OSError()), Cause.TLS),
        (boto.ConnectTimeoutError(endpoint_url=URL), Cause.UNREACHABLE),
        (boto.ReadTimeoutError(endpoint_url=URL), Cause.SLOW),
        (boto.ConnectionClosedError(endpoint_url=URL, error=TimeoutError()), Cause.SLOW),
        (
            boto.ConnectionClosedError(endpoint_url=URL, error=ConnectionResetError()),
            Cause.UNREACHABLE,
        ),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), Cause.SERVER_ERROR),
        (boto.NoCredentialsError(), Cause.CREDENTIALS),
        (boto.ProfileNotFound(profile="p"), Cause.CREDENTIALS),
        (ResponseParserError("<html>"), Cause.SERVER_ERROR),
        (OSError(111, "Connection refused"), Cause.UNREACHABLE),
    ],
)
def test_each_error_has_its_cause(error, cause):
    found, detail = diagnose(error, NOW)
    assert found is cause
    assert detail


def test_a_name_that_does_not_resolve():
    unresolved = NameResolutionError("far.example", None, socket.gaierror(-2, "unknown"))
    error = boto.EndpointConnectionError(endpoint_url=URL, error=unresolved)
    assert diagnose(error)[0] is Cause.DNS


@pytest.mark.parametrize(("off", "cause"), [(14, Cause.CREDENTIALS), (16, Cause.CLOCK_SKEW)])
def test_the_clocks_are_compared_before_the_keys_are_blamed(off, cause):
    date = (NOW - timedelta(minutes=off)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert diagnose(answer(403, "403", date=date), NOW)[0] is cause


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_a_date_that_is_none_says_nothing_of_clocks(date):
    assert diagnose(answer(403, "403", date=date), NOW)[0] is Cause.CREDENTIALS


def test_where_the_bucket_really_is_stands_in_the_message():
    error = answer(400, "400", "HeadBucket", **{"x-amz-bucket-region": "eu-west-3"})
    assert diagnose(error, NOW) == (Cause.WRONG_LOCATION, "the bucket is in eu-west-3")


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_a_hint(cause):
    assert hint_for(cause)


def test_the_message_names_region_deed_and_reason():
    with pytest.raises(StorageError) as caught, translated(REGION, "list objects"):
        raise boto.ConnectTimeoutError(endpoint_url=URL)
    assert caught.value.message == (
        "region qc (http://region.example): cannot list objects: nobody answers at its address"
    )
    assert caught.value.hint == hint_for(Cause.UNREACHABLE)


def test_other_exceptions_pass_through():
    with pytest.raises(ZeroDivisionError), translated(REGION, "count"):
        raise ZeroDivisionError
