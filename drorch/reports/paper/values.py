"""Values of a plan as they stand on paper: secrets by name, passwords in addresses covered."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from drorch.core.render import as_text, references
from drorch.core.values import Value

#: What stands between a user's name and the host of an address.
_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*):[^\s/@]+@", re.IGNORECASE)


def covered(text: str) -> str:
    """The text with passwords in addresses replaced by ***."""
    return _PASSWORD.sub(r"\1:***@", text)


def shown(value: Value) -> str:
    """One value; a secret is `secret NAME`, lists of words stand as they are written."""
    if isinstance(value, Mapping):
        if set(value) == {"secret"}:
            return f"secret {value['secret']}"
        return ", ".join(f"{key}: {shown(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return json.dumps([shown(item) for item in value], ensure_ascii=False)
    return covered(as_text(value))


def rows(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Names and values."""
    for name, value in values.items():
        yield name, shown(value)


def outputs_in(*values: Value) -> list[str]:
    """The outputs of steps that the values refer to, as `step.output`."""
    found = (one for value in values for one in references(value) if one.path)
    return list(dict.fromkeys(one.text for one in found))
