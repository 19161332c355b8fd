"""What botocore's errors mean: a cause, a sentence, what to do next, and whether to try again."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

from drorch.core.errors import StorageError
from drorch.core.model import Region
from drorch.storage.loading import load


class Cause(StrEnum):
    """Why a region did not do what was asked: stable words for journals and scripts."""

    UNREACHABLE = "unreachable"
    DNS = "dns"
    TLS = "tls"
    CREDENTIALS = "credentials"
    EXPIRED = "expired-credentials"
    NO_BUCKET = "no-bucket"
    WRONG_LOCATION = "wrong-location"
    CLOCK_SKEW = "clock-skew"
    SLOW = "slow"
    SERVER_ERROR = "server-error"
    REFUSED = "refused"
    NO_LOCK = "no-lock"
    NO_VERSIONS = "no-versions"
    NO_OBJECT = "no-object"
    NO_SNAPSHOT = "no-snapshot"
    AMBIGUOUS = "ambiguous-snapshot"
    DIFFERENT_REPOSITORY = "different-repository"
    NO_REPOSITORY = "no-repository"
    DAMAGED = "damaged"
    CANCELLED = "cancelled"


#: Causes that may pass by themselves within seconds; expired credentials, if somebody renews them.
TRANSIENT = frozenset({Cause.UNREACHABLE, Cause.SLOW, Cause.SERVER_ERROR, Cause.EXPIRED})

#: Why one object cannot be read though its region gives others: it is gone, larger than any of ours,
#: archived, or sealed with another's key. Anybody who may write can put such a one there.
OF_ONE_OBJECT = frozenset({Cause.NO_OBJECT, Cause.DAMAGED, Cause.CREDENTIALS, Cause.REFUSED})

#: S3 refuses requests whose time is further off than this.
MAX_SKEW = timedelta(minutes=15)

_BY_CODE: Mapping[str, Cause] = {
    "InvalidAccessKeyId": Cause.CREDENTIALS,
    "SignatureDoesNotMatch": Cause.CREDENTIALS,
    "AccessDenied": Cause.CREDENTIALS,
    "ExpiredToken": Cause.EXPIRED,
    "InvalidToken": Cause.EXPIRED,
    "TokenRefreshRequired": Cause.EXPIRED,
    "AllAccessDisabled": Cause.CREDENTIALS,
    "AccountProblem": Cause.CREDENTIALS,
    "RequestTimeTooSkewed": Cause.CLOCK_SKEW,
    "RequestExpired": Cause.CLOCK_SKEW,
    "NoSuchBucket": Cause.NO_BUCKET,
    "NoSuchKey": Cause.NO_OBJECT,
    "NoSuchVersion": Cause.NO_OBJECT,
    "PermanentRedirect": Cause.WRONG_LOCATION,
    "AuthorizationHeaderMalformed": Cause.WRONG_LOCATION,
    "IllegalLocationConstraintException": Cause.WRONG_LOCATION,
    "SlowDown": Cause.SLOW,
    "RequestTimeout": Cause.SLOW,
    "BadDigest": Cause.SERVER_ERROR,
    "XAmzContentSHA256Mismatch": Cause.SERVER_ERROR,
    "XAmzContentChecksumMismatch": Cause.SERVER_ERROR,
    "IncompleteBody": Cause.SERVER_ERROR,
}

_BY_STATUS: Mapping[int, Cause] = {
    301: Cause.WRONG_LOCATION,
    307: Cause.WRONG_LOCATION,
    401: Cause.CREDENTIALS,
    403: Cause.CREDENTIALS,
    408: Cause.SLOW,
    429: Cause.SLOW,
    503: Cause.SLOW,
}

_HINTS: Mapping[Cause, str] = {
    Cause.UNREACHABLE: "check the endpoint's address, port and firewall, and whether the region is up",
    Cause.DNS: "check the endpoint's host name and this machine's name resolution",
    Cause.TLS: "check that the endpoint speaks TLS and that its certificate is trusted here",
    Cause.CREDENTIALS: "check the region's access_key and secret_key, and that their policy allows "
    "s3:ListBucket, s3:GetBucketLocation, s3:GetObject and s3:PutObject on the bucket",
    Cause.EXPIRED: "renew the region's credentials: those of secrets and of profiles are read again "
    "by what is under way",
    Cause.NO_BUCKET: "create the bucket in the region's location, or run `drorch repo init --create-bucket`",
    Cause.WRONG_LOCATION: "set the region's `location` to where the bucket is, "
    "and check that its jurisdiction is still right",
    Cause.CLOCK_SKEW: "set this machine's clock (timedatectl), then try again",
    Cause.SLOW: "the region is overloaded or the network is bad; try again, or take another region",
    Cause.SERVER_ERROR: "look at the region's own status; another region may be taken meanwhile",
    Cause.REFUSED: "look up the error code in the store's documentation",
    Cause.NO_LOCK: "make a bucket with object lock (it cannot be added to a bucket that has none), "
    "or take `object_lock` out of the region",
    Cause.NO_OBJECT: "run `drorch check` on this region, and `drorch replicate` to fill what it misses",
}


def hint_for(cause: Cause) -> str:
    """What to do next about a cause."""
    return _HINTS.get(cause, "run `drorch doctor`")


def fault(
    region: Region, doing: str, error: Exception, now: datetime | None = None
) -> StorageError:
    """The error a person understands. `doing` is a phrase such as `list objects`."""
    cause, detail = diagnose(error, now)
    message = f"region {region.name} ({region.endpoint}): cannot {doing}: {detail}"
    return StorageError(message, hint_for(cause), cause, region.name)


@contextmanager
def translated(
    region: Region,
    doing: str,
    noticed: Callable[[Exception, StorageError], StorageError] = lambda _, error: error,
) -> Iterator[None]:
    """Turns whatever botocore raises inside into StorageError.

    `noticed` is given both, and gives what is raised.
    """
    load()
    from botocore.exceptions import BotoCoreError, ClientError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (BotoCoreError, ClientError, HTTPError, OSError) as error:
        raise noticed(error, fault(region, doing, error)) from error


def refuse_larger(region: Region, name: str, size: int, most: int | None) -> None:
    """StorageError for an object that is larger than any of ours; None: there is no limit."""
    if most is not None and size > most:
        raise StorageError(
            f"region {region.name}: {name} has {size} bytes, more than drorch ever puts there",
            "see who put it there",
            Cause.DAMAGED,
            region.name,
        )


def not_understood(region: Region, doing: str) -> StorageError:
    """The error for an answer that says what cannot be."""
    return StorageError(
        f"region {region.name} ({region.endpoint}): cannot {doing}: its answer makes no sense",
        hint_for(Cause.SERVER_ERROR),
        Cause.SERVER_ERROR,
        region.name,
    )


def took_another(region: Region, name: str) -> StorageError:
    """The error for a store that holds something else than it was sent."""
    return StorageError(
        f"region {region.name} ({region.endpoint}): took {name} damaged; it was removed again",
        "something damages what is sent there, and the store does not look: use TLS, or another store",
        Cause.SERVER_ERROR,
        region.name,
    )


#: How stores say that a body is not what was told of it. Who signs what came, not what was told,
#: finds the signature wrong.
_WRONG_BODY = frozenset(
    {
        "BadDigest",
        "InvalidDigest",
        "SignatureDoesNotMatch",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
    }
)


def refuses_body(error: BaseException | None) -> bool:
    """Whether it is a store's answer that a body is not what was told of it."""
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return False
    if error.response.get("Error", {}).get("Code") in _WRONG_BODY:
        return True
    # Others have codes of their own, all with this status.
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == 400 and diagnose(error)[0] is Cause.REFUSED


def diagnose(error: Exception, now: datetime | None = None) -> tuple[Cause, str]:
    """An error's cause and a short description without any secret."""
    from botocore.exceptions import ClientError

    if isinstance(error, ClientError):
        return _of_answer(error, now or datetime.now(UTC))
    return _of_transport(error)


def _of_answer(error: Any, now: datetime) -> tuple[Cause, str]:
    code = str(error.response.get("Error", {}).get("Code", ""))
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    headers = metadata.get("HTTPHeaders", {})
    skew = _skew(headers.get("date"), now)
    if status in {400, 403} and skew > MAX_SKEW:
        return Cause.CLOCK_SKEW, f"its clock and ours are {skew} apart"
    elsewhere = headers.get("x-amz-bucket-region")
    if status in {301, 307, 400} and elsewhere:
        return Cause.WRONG_LOCATION, f"the bucket is in {elsewhere}"
    cause = _BY_CODE.get(code) or _BY_STATUS.get(status)
    if cause is None:
        cause = _by_class(status, error.operation_name)
    return cause, f"answered {status}" if code in {"", str(status)} else f"answered {status} {code}"


def _by_class(status: int, operation: str) -> Cause:
    if status == 404:
        return Cause.NO_OBJECT if operation in {"HeadObject", "GetObject"} else Cause.NO_BUCKET
    return Cause.SERVER_ERROR if status >= 500 else Cause.REFUSED


def _skew(date: str | None, now: datetime) -> timedelta:
    if date is None:
        return timedelta()
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return timedelta()
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    return timedelta(seconds=abs(round((now - theirs).total_seconds())))


def _of_transport(error: Exception) -> tuple[Cause, str]:
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import NameResolutionError

    unknown_to_us = (
        boto.NoCredentialsError,
        boto.PartialCredentialsError,
        boto.ProfileNotFound,
        boto.CredentialRetrievalError,
        boto.TokenRetrievalError,
    )
    cause, detail = Cause.UNREACHABLE, _root(error)
    if isinstance(error, boto.SSLError):
        cause = Cause.TLS
    elif any(isinstance(e, NameResolutionError | socket.gaierror) for e in _chain(error)):
        cause, detail = Cause.DNS, "its name does not resolve"
    elif isinstance(error, boto.ConnectTimeoutError):
        detail = "nobody answers at its address"
    elif any(isinstance(e, boto.ReadTimeoutError | TimeoutError) for e in _chain(error)):
        cause, detail = Cause.SLOW, "it accepts connections and does not answer in time"
    elif isinstance(error, boto.IncompleteReadError):
        cause, detail = Cause.SERVER_ERROR, "its answer ended early"
    elif isinstance(error, unknown_to_us):
        cause, detail = Cause.CREDENTIALS, str(error).rstrip(".").lower()
    elif isinstance(error, ResponseParserError):
        cause, detail = Cause.SERVER_ERROR, "what answers there does not speak S3"
    return cause, detail


def _chain(error: Exception) -> Iterator[BaseException]:
    """The error and what it was made of, outermost first."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        inner = getattr(seen, "kwargs", {}).get("error") if hasattr(seen, "kwargs") else None
        seen = inner if isinstance(inner, BaseException) else (seen.__cause__ or seen.__context__)


def _root(error: Exception) -> str:
    """The operating system's word for it, where there is one."""
    for link in _chain(error):
        if isinstance(link, OSError) and link.strerror:
            return link.strerror.lower()
    return type(error).__name__
