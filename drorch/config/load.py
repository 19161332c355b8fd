"""Finding and loading drorch.yaml.

Cheap to import: YAML and pydantic come in only when a file was not compiled before.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from drorch.config.source import digest, parse, read_text
from drorch.core.errors import UsageError
from drorch.core.model import Configuration
from drorch.core.runbook import Runbook

DEFAULT_PLACES = (Path("drorch.yaml"), Path("/etc/drorch/drorch.yaml"))


def find_configuration(option: Path | None, environ: Mapping[str, str]) -> Path:
    """`--config`, else DRORCH_CONFIG, else ./drorch.yaml, else /etc/drorch/drorch.yaml.

    Raises UsageError if the file named, or every one of the last two, is not there.
    """
    named = environ.get("DRORCH_CONFIG")
    path, by = (option, "--config") if option else (Path(named) if named else None, "DRORCH_CONFIG")
    if path is not None:
        if not os.path.isfile(path):  # noqa: PTH113 - False, too, for what may not be looked into
            raise UsageError(f"{path}: there is no such file (named by {by})", "check the path")
        return path
    for place in DEFAULT_PLACES:
        if os.path.isfile(place):  # noqa: PTH113
            return place
    places = " nor ".join(str(place) for place in DEFAULT_PLACES)
    hint = "write one by `drorch init`, or name it by --config FILE or DRORCH_CONFIG"
    raise UsageError(f"there is no configuration: neither {places}", hint)


def load_configuration(path: Path) -> Configuration:
    """The configuration as values, compiled if it was read before.

    Raises ConfigurationError with every problem of the file.
    """
    from drorch.config.compiled import recall, remember

    text = read_text(path, str(path))
    file = path.absolute()
    known = recall(text, file)
    if known is not None:
        return known
    configuration = _validated(text, path, None)
    remember(text, configuration)
    return configuration


def configuration_placed(path: Path, file: Path) -> Configuration:
    """What the file would say if it lay there as `file` (absolute): relative paths count from its folder.

    Raises ConfigurationError with every problem of the file.
    """
    return _validated(read_text(path, str(path)), file, None)


def check_configuration(path: Path) -> Configuration:
    """Load the configuration afresh, and look besides whether the runbooks it names are there.

    Raises ConfigurationError with every problem. Apart from loading, because a backup must not
    stop for a runbook that was renamed; a folder that is not there yet is for doctor to say.
    """
    from drorch.config.runbooks import runbook_names

    return _validated(read_text(path, str(path)), path, runbook_names)


def load_runbooks(folder: Path) -> dict[str, Runbook]:
    """Every runbook of a folder by its name; see runbooks.py, which imports the compiler."""
    from drorch.config import runbooks

    return runbooks.load_runbooks(folder)


def _validated(
    text: str, path: Path, names_in: Callable[[Path], Sequence[str] | None] | None
) -> Configuration:
    from drorch.config.validation import validated_configuration

    document = parse(text, str(path))
    return validated_configuration(document, path.absolute(), digest(text), names_in)
