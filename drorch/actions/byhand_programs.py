"""By hand: programs, scripts, programs on other hosts, services."""

from pathlib import PurePosixPath

from drorch.actions.byhand_given import Given, environment, join, piped, quote
from drorch.core.byhand import NO_COMMAND, ByHand, Note


def command(given: Given) -> ByHand:
    """The program as it is."""
    return _program(given, join(given.words("argv")))


def shell(given: Given) -> ByHand:
    """The script as it was written."""
    interpreter, script = given.words("interpreter") or ["/bin/sh", "-eu"], given.text("script")
    plain = "\n" not in script and "'" not in script
    if plain or given.values.get("stdin") is not None or not _is_shell(interpreter[0]):
        return _program(given, join([*interpreter, "-c", script]))
    # As it was written: in quotes, the script's own quotes could hardly be typed. Not by standard
    # input, which is what its commands read.
    told = f"{join([*interpreter, '-c'])} \"$(cat <<'END'\n{script.rstrip()}\nEND\n)\""
    return _program(given, told)


def _is_shell(program: str) -> bool:
    return PurePosixPath(program).name in ("sh", "bash", "dash", "ksh")


def _program(given: Given, line: str) -> ByHand:
    lines, secrets = environment(given.pairs("env"))
    fed, asked = piped(given, line)
    into = [join(["cd", given.text("cwd")])] if given.text("cwd") else []
    return ByHand((*into, *lines, *fed), secrets=(*secrets, *asked))


def ssh(given: Given) -> ByHand:
    """OpenSSH's client, with the host's key known."""
    far = join(given.words("argv"))
    if given.text("cwd"):
        far = f"{join(['cd', given.text('cwd')])} && {far}"
    words = ["ssh", "-o", f"UserKnownHostsFile={given.text('known_hosts')}"]
    words += ["-o", "StrictHostKeyChecking=yes", "-i", "KEYFILE"]
    if given.text("port"):
        words += ["-p", given.text("port")]
    line = join([*words, f"{given.text('user')}@{given.text('host')}", far])
    lines, secrets = piped(given, line)
    key = given.secret("identity")
    return ByHand(tuple(lines), (Note.KEY_FILE,), secrets=(*([key] if key else []), *secrets))


def start(given: Given) -> ByHand:
    """The program without the terminal's hang-up, so that it outlives it."""
    lines, secrets = environment(given.pairs("env"))
    log = given.text("log", f"{given.step.replace('/', '.')}.log")
    into = [join(["cd", given.text("cwd")])] if given.text("cwd") else []
    program = join(["nohup", *given.words("command")])
    started = f'{program} >{quote(log)} 2>&1 & echo "$!"'
    return ByHand((*into, *lines, started), (Note.STAYS,), secrets=tuple(secrets))


def stop(given: Given) -> ByHand:
    """A signal to the process that was noted when it was started."""
    service = given.text("service")
    if not service.endswith(".service}"):
        return NO_COMMAND
    return ByHand((f"kill {service.removesuffix('.service}')}.pid}}",))
