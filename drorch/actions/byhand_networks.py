"""By hand: HTTP, addresses that answer or do not, names."""

from drorch.actions.byhand_given import Given, join, secret_in
from drorch.core.byhand import ByHand, Note
from drorch.core.render import as_text
from drorch.restic import byhand as restic


def look(given: Given) -> ByHand:
    """A request that only looks."""
    return _http(given, given.text("method", "GET"))


def request(given: Given) -> ByHand:
    """A request that may change something."""
    return _http(given, given.text("method", "POST"))


def _http(given: Given, method: str) -> ByHand:
    words = ["curl", "-sS", "-i", "-m", "10"]
    if method != "GET":
        words += ["-X", method]
    if given.text("ca"):
        words += ["--cacert", given.text("ca")]
    lines: list[str] = []
    secrets: list[str] = []
    extra = ""
    for name, value in given.pairs("headers").items():
        if secret := secret_in(value):
            variable = f"HEADER{len(secrets) + 1}"
            lines.append(restic.asking(variable, secret))
            extra += f' -H "{name}: ${variable}"'
            secrets.append(secret)
        else:
            words += ["-H", f"{name}: {as_text(value)}"]
    body = given.values.get("body")
    if secret := secret_in(body):
        lines.append(restic.asking("BODY", secret))
        secrets.append(secret)
        extra += ' --data-raw "$BODY"'
    elif body is not None:
        words += [] if isinstance(body, str) else ["-H", "Content-Type: application/json"]
        words += ["--data-raw", given.text("body")]
    return ByHand((*lines, f"{join([*words, given.text('url')])}{extra}"), secrets=tuple(secrets))


def tcp(given: Given) -> ByHand:
    """A connection, closed at once."""
    return ByHand((_knock(f"{given.text('host')}:{given.text('port')}"),))


def _knock(address: str) -> str:
    return f"{join(['curl', '-sv', '-m', '5', f'telnet://{address}'])} </dev/null"


def fence(given: Given) -> ByHand:
    """A connection to each address, and the command that knows."""
    lines = [_knock(address) for address in given.words("tcp")]
    if given.words("command"):
        lines.append(f'{join(given.words("command"))}; echo "$?"')
    return ByHand(tuple(lines), (Note.SILENCE,))


def dns_check(given: Given) -> ByHand:
    """The system's own resolver."""
    return ByHand((join(["getent", "ahosts", given.text("name")]),))


def dns_update(given: Given) -> ByHand:
    """Nsupdate's own words."""
    kind, name = given.text("type", "A"), f"{given.text('name').rstrip('.')}."
    signed, asked = ("", []) if not given.secret("key") else (" -k KEYFILE", [given.secret("key")])
    added = [
        f"update add {name} {given.text('ttl', '60')} {kind} {value}"
        for value in given.words("values")
    ]
    lines = (
        f"nsupdate -v{signed} <<'END'",
        f"server {given.text('server')} {given.text('port', '53')}",
        f"zone {given.text('zone').rstrip('.')}.",
        f"update delete {name} {kind}",
        *added,
        "send",
        "END",
    )
    return ByHand(lines, (Note.KEY_FILE,) if asked else (), secrets=tuple(asked))
