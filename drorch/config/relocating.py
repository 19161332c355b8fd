"""A configuration's text with some of its values replaced, and everything else as it was written."""

import json
from collections.abc import Mapping

from drorch.config.source import parse


def with_values(text: str, file: str, values: Mapping[str, str]) -> str:
    """The text with these top-level keys set to these texts; keys that are missing are added.

    Comments and order stay. Raises ConfigurationError if the text is not a YAML mapping.
    """
    parse(text, file)
    from drorch.config.composer import MappingNode, compose

    root = compose(text, in_python=True)
    if not isinstance(root, MappingNode):
        return text
    found = {key.value: value for key, value in root.value}
    missing = [name for name in values if name not in found]
    there = [(found[name], values[name]) for name in values if name in found]
    for node, value in sorted(there, key=lambda one: one[0].start_mark.index, reverse=True):
        start, end = node.start_mark.index, node.end_mark.index
        end = start + len(text[start:end].rstrip())  # a folded value takes its line ends along
        text = f"{text[:start]}{json.dumps(value, ensure_ascii=False)}{text[end:]}"
    if not missing:
        return text
    if root.flow_style:
        begin = root.start_mark.index + 1
        added = "".join(f"{json.dumps(n)}: {json.dumps(values[n])}, " for n in missing)
        return f"{text[:begin]}{added}{text[begin:]}"
    # Before the first key, whose column is the mapping's: after the last the document may have ended.
    begin, indent = root.start_mark.index, " " * root.start_mark.column
    added = "".join(
        f"{name}: {json.dumps(values[name], ensure_ascii=False)}\n{indent}" for name in missing
    )
    return f"{text[:begin]}{added}{text[begin:]}"
