"""The shape of drorch.yaml: which keys there are and what each takes.

Whether the names in it lead anywhere is for references.py to say; core values are made by convert.py.
"""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from drorch.config.dataset_parts import (
    CopyShape,
    DumpShape,
    GuardShape,
    KeepShape,
    PriorityShape,
    VerifyShape,
    WindowShape,
)
from drorch.config.report_parts import ReportsShape
from drorch.config.shapes import (
    AnyText,
    Argv,
    Duration,
    Jurisdiction,
    Name,
    ObjectivesShape,
    Positive,
    Schedule,
    ScheduleOrAge,
    Shape,
    Share,
    Someone,
    Text,
    empty_is_none_given,
    one_or_more,
    refused,
)
from drorch.core.addresses import parsed_address
from drorch.core.alarms import EVENT_WORDS
from drorch.core.nearest import did_you_mean


def _event_word(word: str) -> str:
    if word not in EVENT_WORDS:
        raise refused(f"{word!r} is not known here", did_you_mean(word, EVENT_WORDS))
    return word


EventWord = Annotated[
    Text, AfterValidator(_event_word), Field(json_schema_extra={"enum": list(EVENT_WORDS)})
]


def _endpoint(url: str) -> str:
    hint = "write it like https://s3.example.org:9000"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise refused(f"{url!r} is not an address: {error}", hint) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise refused(f"{url!r} is not an address", hint)
    if parts.username or parts.password:
        raise refused("an address holds no credentials", "name secrets: access_key, secret_key")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise refused(f"{url!r} goes beyond the host", "put the folder under `prefix:`")
    return url.rstrip("/")


def _bucket(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        hint = "3 to 63 of: small letters, digits, dots and dashes"
        raise refused(f"{name!r} is not the name of a bucket", hint)
    return name


def _prefix(text: str) -> str:
    prefix = text.strip("/")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise refused(f"{text!r} is not a prefix", "write it like prod or hospital/prod")
    return prefix


def _timezone(name: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        hint = "write it like America/Toronto (the IANA name)"
        raise refused(f"{name!r} is not a time zone", hint) from None
    return name


def _state(url: str) -> str:
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return url
    if not url.startswith("postgresql+psycopg://"):
        hint = "write sqlite:///var/drorch.db or postgresql+psycopg://host/drorch"
        raise refused(f"{url!r} is not a place for the state", hint)
    if urlsplit(url).password is not None:
        raise refused("an address holds no password", "put it in ~/.pgpass, or use PGPASSFILE")
    return url


def _credential(name: str) -> str:
    if "/" in name or name in (".", ".."):
        raise refused(
            f"{name!r} is not the name of a credential", "write what LoadCredential= says"
        )
    return name


_SOURCES = ("file", "env", "command", "credential")


class SecretShape(Shape):
    """Where a secret's value comes from: exactly one of these."""

    file: Text | None = None
    env: Annotated[Text, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    command: Argv | None = None
    credential: Annotated[Text, AfterValidator(_credential)] | None = Field(
        default=None, description="the name of a credential that systemd loads (LoadCredential=)"
    )

    @model_validator(mode="after")
    def _one_source(self) -> "SecretShape":
        if sum(getattr(self, source) is not None for source in _SOURCES) != 1:
            message = f"a secret comes from exactly one of {', '.join(_SOURCES)}"
            raise refused(message, "name one of them")
        return self


class SiteShape(Shape):
    """Where a workload runs."""

    jurisdiction: Jurisdiction


class ObjectLockShape(Shape):
    """How long objects stay undeletable."""

    mode: Literal["compliance", "governance"]
    keep: Duration


class TransferShape(Shape):
    """The papers that let data lie outside its residency."""

    assessment: Text
    agreement: Text


class RegionShape(Shape):
    """An S3 endpoint and bucket."""

    endpoint: Annotated[Text, AfterValidator(_endpoint)]
    bucket: Annotated[Text, AfterValidator(_bucket)]
    jurisdiction: Jurisdiction = Field(description="ISO 3166-2, such as CA-QC")
    prefix: Annotated[AnyText, AfterValidator(_prefix)] = ""
    location: Text = Field(default="us-east-1", description="the S3 region name")
    access_key: Text | None = Field(default=None, description="a secret's name")
    secret_key: Text | None = Field(default=None, description="a secret's name")
    profile: Text | None = Field(default=None, description="credentials of the AWS chain")
    object_lock: ObjectLockShape | None = None
    transfer: TransferShape | None = None

    @model_validator(mode="after")
    def _whole_credentials(self) -> "RegionShape":
        keys = [key for key in (self.access_key, self.secret_key) if key is not None]
        if len(keys) == 1:
            raise refused("access_key and secret_key go together", "name both, or neither")
        if keys and self.profile is not None:
            raise refused("credentials are named twice: by keys and by profile", "keep one")
        return self


def _copy(value: object) -> object:
    return {"mode": value} if isinstance(value, str) else value


class DatasetShape(Shape):
    """What is protected."""

    password: Text = Field(description="a secret's name")
    primary: Text
    copies: dict[
        Text,
        Annotated[
            CopyShape,
            BeforeValidator(_copy, json_schema_input_type=Literal["mirror", "copy"] | CopyShape),
        ],
    ] = Field(default_factory=dict)
    site: Text | None = None
    paths: tuple[Text, ...] | None = None
    exclude: tuple[Text, ...] = ()
    dump: DumpShape | None = None
    before: tuple[Argv, ...] = ()
    after: tuple[Argv, ...] = ()
    schedule: Schedule | None = None
    tier: Positive | None = None
    objectives: ObjectivesShape = ObjectivesShape()
    residency: tuple[Jurisdiction, ...] = ()
    keep: KeepShape = KeepShape()
    prune: ScheduleOrAge | None = Field(
        default=None, description="how often the space of what was forgotten is freed"
    )
    brake: Share | None = Field(
        default=None, description="how much retention lets vanish at once; 30% unless told"
    )
    verify: VerifyShape = VerifyShape()
    window: WindowShape = WindowShape()
    guard: GuardShape = GuardShape()
    priority: PriorityShape = PriorityShape()
    transfer: TransferShape | None = None

    @model_validator(mode="after")
    def _paths_or_dump(self) -> "DatasetShape":
        if bool(self.paths) == (self.dump is not None):
            both = self.dump is not None
            message = "both paths and dump" if both else "neither paths nor dump"
            hint = "make it two datasets" if both else "say what is protected: paths, or a dump"
            raise refused(f"{message}: a dataset is one of the two", hint)
        return self


class ProtectedShape(Shape):
    """What a drill must never touch."""

    paths: tuple[Text, ...] = ()
    hosts: tuple[Text, ...] = ()


class ServiceShape(Shape):
    """What users need back."""

    tier: Positive | None = None
    objectives: ObjectivesShape = ObjectivesShape()
    datasets: tuple[Text, ...] = ()
    runbook: Text | None = None


class DrillShape(Shape):
    """A runbook practised on a schedule."""

    runbook: Text
    schedule: Schedule
    inputs: dict[Text, AnyText] = Field(default_factory=dict, alias="with")
    participants: tuple[Someone, ...] = Field(default=(), description="each as `Name, role`")


class NotifyShape(Shape):
    """Who is told of what."""

    when: Annotated[tuple[EventWord, ...], Field(min_length=1)] | None = None
    to: Text | None = Field(default=None, description="a secret holding an Apprise URL")
    ping: Text | None = Field(default=None, description="a secret holding a dead-man URL")
    command: Argv | None = None
    pause: Duration | None = Field(
        default=None, description="the least time between two messages; 5m unless told"
    )

    @model_validator(mode="after")
    def _one_channel(self) -> "NotifyShape":
        if sum(channel is not None for channel in (self.to, self.ping, self.command)) != 1:
            raise refused(
                "a notification goes by exactly one of to, ping, command", "name one of them"
            )
        if self.when is None and self.ping is None:
            raise refused("`when` is missing", "write `when: [all]`, or the words it is told of")
        return self


class ControlPlaneShape(Shape):
    """How drorch's own records are protected."""

    password: Text | None = Field(default=None, description="a secret's name")
    regions: tuple[Text, ...] = ()
    keep: KeepShape | None = Field(
        default=None, description="which whole states stay: 31 daily and 13 monthly unless told"
    )


def _public_key(text: str) -> str:
    if "PRIVATE KEY" in text:
        hint = "keep the private key a secret, named by `key`, and put its public half here"
        raise refused("this is a private key", hint)
    if "\n" in text.strip() and "-----BEGIN PUBLIC KEY-----" not in text:
        hint = "write the path of a PEM file, or the whole text from -----BEGIN PUBLIC KEY-----"
        raise refused("this is no public key", hint)
    return text


PublicKey = Annotated[Text, AfterValidator(_public_key)]


class EvidenceShape(Shape):
    """How evidence is sealed, and where sealed evidence is kept."""

    key: Text | None = Field(
        default=None, description="a secret's name: an Ed25519 private key (PEM, PKCS #8)"
    )
    public_key: Annotated[
        tuple[PublicKey, ...],
        BeforeValidator(one_or_more, json_schema_input_type=PublicKey | tuple[PublicKey, ...]),
    ] = Field(default=(), description="whose seals are trusted: PEM files, or their texts")
    regions: tuple[Text, ...] = Field(
        default=(), description="those in which every dataset may lie, unless told"
    )
    keep: Duration | None = Field(
        default=None, description="how long it is kept; six years unless told"
    )


def _listen(text: str) -> str:
    try:
        parsed_address(text)
    except ValueError as error:
        raise refused(str(error), 'write it like "127.0.0.1:9751" or "[::1]:9751"') from None
    return text


def _textfile(path: str) -> str:
    if not path.endswith(".prom"):
        message = f"{path!r} would never be read: node_exporter takes files that end in .prom"
        raise refused(message, "write it like /var/lib/node_exporter/drorch.prom")
    return path


class DaemonShape(Shape):
    """How the unattended daemon works; what it does where nothing is said stands in core/settings.py."""

    parallel: Positive | None = Field(
        default=None, description="how many runs at once on this machine; 4 unless told"
    )
    per_region: Positive | None = Field(
        default=None, description="how many of them work with one region; 4 unless told"
    )
    per_site: Positive | None = Field(
        default=None, description="how many of them read from one site; 2 unless told"
    )
    stop_within: Duration | None = Field(
        default=None, description="how long runs have to end when it is stopped; 2m unless told"
    )
    readiness: Schedule | None = Field(
        default=None,
        description="when preconditions of runbooks are looked at; daily at 05:00 unless told",
    )
    remind: Duration | None = Field(
        default=None, description="after how long a lasting alarm is told again; 24h unless told"
    )
    listen: Annotated[Text, AfterValidator(_listen)] | None = Field(
        default=None, description="where metrics and health are served"
    )
    textfile: Annotated[Text, AfterValidator(_textfile)] | None = Field(
        default=None, description="a file of metrics for node_exporter's textfile collector"
    )
    log: Literal["plain", "json"] | None = Field(default=None, description="plain unless told")


class ConfigurationShape(Shape):
    """drorch.yaml."""

    organization: AnyText = ""
    timezone: Annotated[Text, AfterValidator(_timezone)] = "UTC"
    language: Literal["en", "fr"] = "en"
    state: Annotated[Text, AfterValidator(_state)] = "sqlite:///var/drorch.db"
    runbooks: Text = "runbooks"
    exercise: Text | None = Field(
        default=None,
        description="written by `recover --exercise`: the one region that this copy may read",
    )
    secrets: dict[Name, SecretShape] = Field(default_factory=dict)
    sites: dict[Name, SiteShape] = Field(default_factory=dict)
    regions: dict[Name, RegionShape] = Field(default_factory=dict)
    datasets: dict[Name, DatasetShape] = Field(default_factory=dict)
    protected: ProtectedShape = ProtectedShape()
    services: dict[Name, ServiceShape] = Field(default_factory=dict)
    drills: dict[Name, Annotated[DrillShape, BeforeValidator(empty_is_none_given)]] = Field(
        default_factory=dict
    )
    notify: tuple[NotifyShape, ...] = ()
    control_plane: ControlPlaneShape = ControlPlaneShape()
    evidence: Annotated[EvidenceShape, BeforeValidator(empty_is_none_given)] = EvidenceShape()
    daemon: Annotated[DaemonShape, BeforeValidator(empty_is_none_given)] = DaemonShape()
    reports: Annotated[ReportsShape, BeforeValidator(empty_is_none_given)] = ReportsShape()


def configuration_schema() -> dict[str, Any]:
    """JSON Schema of drorch.yaml, for editors."""
    schema = ConfigurationShape.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
