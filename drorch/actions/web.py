"""`http.check` and `http.request`: one HTTP request, and what is expected of the answer.

No proxy and no redirect is followed: a check says what this very address answers.
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

from drorch import __version__
from drorch.actions.arguments import Arguments, WrongArgument, alike, make_action, reveal
from drorch.actions.patience import OutOfTime, Stopped, in_time, limit_of
from drorch.core.action import ActionSpec, Kind, Parameter
from drorch.core.durations import format_duration
from drorch.core.render import as_text
from drorch.core.values import Result, Value, errored, failed, passed
from drorch.ports import Call, Tools

_LIMIT = timedelta(seconds=10)
_READ = 1 << 20
_SHOWN = 4096
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class _Request:
    url: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    limit: timedelta
    authorities: Path | None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: str
    elapsed: float


def _check(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    method = arguments.text("method", "GET")
    if method not in ("GET", "HEAD"):
        raise WrongArgument(f"a check does not {method}", "use http.request as a step for that")
    return _ask(arguments, method, call, tools)


def _request(call: Call, tools: Tools) -> Result:
    arguments = Arguments.of(call, tools)
    return _ask(arguments, arguments.text("method", "POST"), call, tools)


def _ask(arguments: Arguments, method: str, call: Call, tools: Tools) -> Result:
    request = _read_request(arguments, method, call, tools)
    expected = _Expectation(arguments)
    exchange = _Exchange(request)
    try:
        answer = in_time(call.cancel, request.limit, exchange.carry, exchange.stop)
    except Stopped as error:
        return errored("cancelled", f"stopped: {error}")
    except (OutOfTime, TimeoutError):
        limit = format_duration(request.limit)
        return failed("timeout", f"{request.url} did not answer within {limit}", _LOOK)
    except (OSError, HTTPException) as error:
        why = str(error) or type(error).__name__
        return failed("unreachable", f"{request.url} cannot be reached: {why}", _LOOK)
    body = tools.secrets.redact(answer.body)
    outputs: dict[str, Value] = {
        "status": answer.status,
        "body": body[:_SHOWN],
        "elapsed_s": round(answer.elapsed, 4),
    }
    found = _json(body)
    if found is not None:
        outputs["json"] = found
    cause, message = expected.unmet(answer.status, body, found)
    if cause:
        return failed(cause, f"{request.url} {message}", _LOOK, outputs=outputs)
    return passed(outputs)


_LOOK = "try it from this machine with curl; look at the service's log"


class _Exchange:
    """One request over one connection, which another thread may cut."""

    def __init__(self, request: _Request) -> None:
        self._request = request
        self._connection = _connect(request)

    def carry(self) -> _Answer:
        """Send and read at most a mebibyte of the answer."""
        asked, url = self._request, urlsplit(self._request.url)
        target = url._replace(scheme="", netloc="", fragment="").geturl() or "/"
        begun = time.monotonic()
        with closing(self._connection) as connection:
            connection.request(asked.method, target, asked.body, dict(asked.headers))
            answer = connection.getresponse()
            body = answer.read(_READ).decode("utf-8", "replace")
            return _Answer(answer.status, body, time.monotonic() - begun)

    def stop(self) -> None:
        """Cut the connection, so that a thread reading from it ends."""
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(2)


def _connect(request: _Request) -> HTTPConnection:
    url = urlsplit(request.url)
    seconds = max(0.001, request.limit.total_seconds())
    if url.scheme == "http":
        return HTTPConnection(url.hostname or "", url.port, timeout=seconds)
    import ssl

    try:
        context = ssl.create_default_context(cafile=request.authorities)
    except (OSError, ssl.SSLError) as error:
        raise WrongArgument(
            f"ca {request.authorities} cannot be used: {error}", "give a file of PEM certificates"
        ) from None
    return HTTPSConnection(url.hostname or "", url.port, timeout=seconds, context=context)


def _read_request(arguments: Arguments, method: str, call: Call, tools: Tools) -> _Request:
    headers = {"User-Agent": f"drorch/{__version__}", "Connection": "close"}
    headers |= arguments.revealed("headers", tools.secrets)
    body: bytes | None = None
    if arguments.has("body"):
        given = arguments.any("body")
        secret = isinstance(given, Mapping) and set(given) == {"secret"}
        if secret or isinstance(given, str):
            body = reveal("body", given, tools.secrets).encode()
        else:
            body = json.dumps(given, ensure_ascii=False).encode()
            headers = {"Content-Type": "application/json", **headers}
    for name, value in headers.items():
        if any(c in name + value for c in "\r\n\0"):
            raise WrongArgument(f"header {name!r} holds a line end", "take it out")
    return _Request(
        url=_url(arguments.text("url")),
        method=method,
        headers=headers,
        body=body,
        limit=limit_of(arguments.duration("timeout", _LIMIT), call.timeout),
        authorities=arguments.path("ca") if arguments.has("ca") else None,
    )


def _url(text: str) -> str:
    hint = "write it like http://127.0.0.1:8080/health"
    try:
        url = urlsplit(text)
        good = url.scheme in _SCHEMES and bool(url.hostname) and (url.port or 1) > 0
    except ValueError as error:
        raise WrongArgument(f"url {text!r}: {error}", hint) from None
    if not good or any(c <= " " for c in text):
        raise WrongArgument(f"url {text!r} is not an http or https address", hint)
    if url.username or url.password:
        raise WrongArgument(
            "url holds a name or password", "give it by `headers:` with {secret: NAME}"
        )
    return text


class _Expectation:
    """What the answer should be."""

    def __init__(self, arguments: Arguments) -> None:
        self._statuses: tuple[int, ...] = ()
        if arguments.has("status"):
            given = arguments.any("status")
            several = given if isinstance(given, Sequence) and not isinstance(given, str) else None
            each = [given] if several is None else several
            self._statuses = tuple(Arguments({"status": v}, Path()).integer("status") for v in each)
        self._contains = arguments.text("contains", "")
        self._json = arguments.mapping("json", {})

    def unmet(self, status: int, body: str, found: Value) -> tuple[str, str]:
        """Cause and message of the first thing that is not so; empty if all is."""
        if status not in (self._statuses or range(200, 300)):
            wanted = " or ".join(map(str, self._statuses)) or "2xx"
            return "status", f"answered with {status}, not {wanted}"
        if self._contains not in body:
            return "content", f"does not contain {self._contains!r}"
        if self._json and found is None:
            return "content", "did not answer with JSON"
        for path, wanted_value in self._json.items():
            there, value = _at(found, path)
            if not there:
                return "content", f"has no {path} in its JSON"
            if not alike(value, wanted_value):
                return "content", f"has {path} = {as_text(value)}, not {as_text(wanted_value)}"
        return "", ""


def _at(value: Value, path: str) -> tuple[bool, Value]:
    """The value at a path such as `items.0.name`."""
    for key in path.split("."):
        if isinstance(value, Mapping) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return False, None
    return True, value


def _json(text: str) -> Value:
    try:
        found: Value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_COMMON = (
    Parameter("url", Kind.URL, doc="http or https"),
    Parameter("method", Kind.TEXT, required=False, doc="default GET for a check, POST else"),
    Parameter("headers", Kind.MAPPING, required=False, doc="{secret: NAME} works"),
    Parameter("status", Kind.ANY, required=False, doc="code or list of codes; default any 2xx"),
    Parameter("contains", Kind.TEXT, required=False, doc="text the answer must contain"),
    Parameter("json", Kind.MAPPING, required=False, doc="path to value, such as db.patients: 42"),
    Parameter("timeout", Kind.DURATION, required=False, doc="of the whole exchange, default 10s"),
    Parameter("ca", Kind.READ_PATH, required=False, doc="PEM certificates to trust for https"),
)
_OUTPUTS = ("status", "body", "elapsed_s", "json")

CHECK = make_action(
    ActionSpec(
        "http.check",
        "Look whether a web address answers as it should",
        _COMMON,
        _OUTPUTS,
        check=True,
        repeatable=True,
    ),
    _check,
)

REQUEST = make_action(
    ActionSpec(
        "http.request",
        "Send an HTTP request that may change something",
        (*_COMMON, Parameter("body", Kind.ANY, required=False, doc="text, or a value as JSON")),
        _OUTPUTS,
    ),
    _request,
)
