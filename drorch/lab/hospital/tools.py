"""The hospital's own programs, written beside its data: ehr-dump, ehr-database, ehr-service.

They stand for what an organisation already has, need nothing but Python, and know nothing of
drorch. Their sources lie in the folder `tooling`.
"""

import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

NAMES: Final = ("ehr-database", "ehr-dump", "ehr-service")

#: The longest first line that every kernel reads, see execve(2).
_LONGEST: Final = 127


def write_tools(folder: Path, interpreter: str = sys.executable) -> None:
    """Write the programs into `folder`, ready to be started, for this Python."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        source = files("drorch.lab.hospital").joinpath("tooling", name).read_text(encoding="utf-8")
        _, _, rest = source.partition("\n")
        program = folder / name
        program.write_text(f"{_first_lines(interpreter)}\n{rest}", encoding="utf-8")
        program.chmod(0o755)


def _first_lines(interpreter: str) -> str:
    plain = f"#!{interpreter} -I"
    if " " not in interpreter and len(plain) <= _LONGEST:
        return plain
    # The shell runs the second line; Python reads the same lines as a string and goes on.
    return f"#!/bin/sh\n'''exec' \"{interpreter}\" -I \"$0\" \"$@\"\n' '''"
