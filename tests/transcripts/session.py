"""Reading and playing transcripts: CLI sessions as text files.

    # a comment
    --- drorch.yaml          a file in the session's folder, until the line ---
    timezone: UTC
    ---
    $ drorch config check    a command, by a shell; drorch is this source tree's
    drorch.yaml: good        what it prints on stdout
    ! error: ...             what it prints on stderr
    [2]                      its exit code, unless it is 0

In what is expected, … stands for any text within a line, and alone on a line for any lines.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORKED = ROOT / "tests" / "forked.py"


@dataclass
class Spoken:
    """A command and what it is expected to print."""

    command: str
    expected: list[str] = field(default_factory=list)


@dataclass
class Transcript:
    """A session: files that are there, and commands in order."""

    files: dict[str, str]
    spoken: list[Spoken]


def parse(text: str) -> Transcript:
    """The session written in a text file."""
    session = Transcript({}, [])
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("--- "):
            body = []
            while (inside := next(lines)) != "---":
                body.append(inside)
            session.files[line[4:]] = "\n".join(body) + "\n"
        elif line.startswith("$ "):
            session.spoken.append(Spoken(line[2:]))
        elif session.spoken:
            session.spoken[-1].expected.append(line)
        elif line and not line.startswith("#"):
            raise ValueError(f"neither a comment, a file nor a command: {line!r}")
    for spoken in session.spoken:
        while spoken.expected and (not spoken.expected[-1] or spoken.expected[-1].startswith("# ")):
            spoken.expected.pop()
    return session


def environment(folder: Path) -> dict[str, str]:
    """What a session's commands find: nothing of the machine's own settings."""
    return {
        "PATH": f"{folder / '.bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "80",
        "TMPDIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }


def prepare(folder: Path, files: dict[str, str], place: str | None) -> None:
    """Put the session's files and a `drorch` command in place: forked from a process there, or started
    from nothing.
    """
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
    script = folder / ".bin" / "drorch"
    script.parent.mkdir()
    how = "-W error -m drorch" if place is None else f'-IS "{FORKED}" "{place}"'
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {how} "$@"\n')
    script.chmod(0o755)


def play(command: str, folder: Path) -> list[str]:
    """Carry out one command; what it printed, in a transcript's notation."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [*done.stdout.splitlines(), *(f"! {line}" for line in done.stderr.splitlines())]
    if done.returncode:
        lines.append(f"[{done.returncode}]")
    return [line.replace(str(folder), "{here}").rstrip() for line in lines]


def matches(expected: list[str], printed: list[str]) -> bool:
    """Whether what was printed is what is expected, ellipses standing for anything."""
    pattern = "".join(
        "(?:.*\n)*?" if line == "…" else ".*?".join(map(re.escape, line.split("…"))) + "\n"
        for line in expected
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)) is not None
