"""Where a restic repository lies and what opens it, for the child's environment alone.

Knows restic's URLs and which variables carry secrets; secrets never reach an argv or a repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from drorch.core.errors import ResticError
from drorch.core.model import Region

#: What a child inherits of the caller's environment: how to find programs, a home, temporary
#: space and the network. Everything else is the caller's own business.
INHERITED: Final = frozenset(
    (
        *("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    )
)


@dataclass(frozen=True, slots=True)
class RepositoryAddress:
    """A repository: restic's URL (or a local folder) and what opens it.

    `access_key` and `secret_key` None means the AWS default chain, or `profile`: then the
    caller's own AWS_* variables reach restic. `location` is the S3 region name.
    """

    url: str = field(repr=False)
    password: str = field(repr=False)
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    profile: str | None = None
    location: str | None = None

    @property
    def is_s3(self) -> bool:
        """Whether it lies in a bucket."""
        return self.url.startswith("s3:")

    def redact(self, text: str) -> str:
        """The text without this address's secrets."""
        own = urlsplit(self.url.removeprefix("rest:")).password  # of a gateway
        for secret in (self.password, self.secret_key, self.session_token, own):
            if secret:
                text = text.replace(secret, "***")
        return text


def repository_url(region: Region, folder: str) -> str:
    """The URL for restic of a repository in the bucket, in a folder below the region's prefix."""
    key = region.key(folder)
    return f"s3:{region.endpoint.rstrip('/')}/{region.bucket}/{key}"


def gateway_address(url: str, password: str) -> RepositoryAddress:
    """A repository behind a gateway of ours; the URL holds the gateway's own password."""
    return RepositoryAddress(url=url, password=password)


def child_environment(
    inherited: Mapping[str, str],
    address: RepositoryAddress | None,
    source: RepositoryAddress | None = None,
    *,
    cache: Path | None = None,
) -> dict[str, str]:
    """The whole environment of a restic process. `source` is the other side of init and copy.

    RESTIC_FROM_* are there only with a source: restic 0.14 refuses a plain init beside them.
    Raises ResticError `credentials-differ` if both sides need credentials of their own, as
    restic has room for one set.
    """
    environment = {k: v for k, v in inherited.items() if k in INHERITED}
    environment["RESTIC_PROGRESS_FPS"] = "2"
    if cache is not None:
        environment["RESTIC_CACHE_DIR"] = str(cache)
    if address is not None:
        environment |= {"RESTIC_REPOSITORY": address.url, "RESTIC_PASSWORD": address.password}
    if source is not None:
        environment["RESTIC_FROM_REPOSITORY"] = source.url
        environment["RESTIC_FROM_PASSWORD"] = source.password
    return environment | _credentials(inherited, [a for a in (address, source) if a and a.is_s3])


def _credentials(
    inherited: Mapping[str, str], addresses: list[RepositoryAddress]
) -> dict[str, str]:
    if not addresses:
        return {}
    sets = {(a.access_key, a.secret_key, a.session_token, a.profile) for a in addresses}
    if len(sets) > 1:
        message = "restic cannot copy between regions that need different credentials"
        hint = "use `mirror` for this region, or one key pair that is valid in both"
        raise ResticError(message, hint, "credentials-differ")
    first = addresses[0]
    explicit = {
        "AWS_ACCESS_KEY_ID": first.access_key,
        "AWS_SECRET_ACCESS_KEY": first.secret_key,
        "AWS_SESSION_TOKEN": first.session_token,
        "AWS_PROFILE": first.profile,
    }
    environment = {k: v for k, v in explicit.items() if v}
    if first.access_key is None:
        environment = {k: v for k, v in inherited.items() if k.startswith("AWS_")} | environment
    locations = {a.location for a in addresses}
    if len(locations) == 1 and first.location:
        environment["AWS_DEFAULT_REGION"] = first.location
    else:
        environment.pop("AWS_DEFAULT_REGION", None)
    return environment
