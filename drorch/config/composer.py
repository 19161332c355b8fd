"""The one place that asks PyYAML for a tree of nodes: by the C parser where there is one.

Apart from source.py because these classes need yaml imported to be declared at all.
"""

from typing import Any

from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

try:
    from yaml.cyaml import CParser  # type: ignore[attr-defined]
except ImportError:  # a PyYAML built without libyaml
    CParser = None  # type: ignore[assignment,misc]

_TAG = "tag:yaml.org,2002:"


class _Plainly:
    """Tags by the kind of node alone; unquoted scalars are marked `?` for source.py to read."""

    def resolve(self, kind: type[Node], _value: Any, implicit: Any) -> str:
        if kind is ScalarNode:
            return "?" if implicit[0] else f"{_TAG}str"
        return f"{_TAG}map" if kind is MappingNode else f"{_TAG}seq"

    def descend_resolver(self, *_: object) -> None:
        """Nothing depends on where a node stands."""

    def ascend_resolver(self) -> None:
        """Nothing depends on where a node stands."""


class _InPython(_Plainly, Reader, Scanner, Parser, Composer):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


def compose(text: str, *, in_python: bool = CParser is None) -> Node | None:
    """The root node, None for an empty text. Raises yaml.error.YAMLError."""
    if in_python:
        node: Node | None = _InPython(text).get_single_node()
        return node

    class InC(_Plainly, CParser):
        pass

    found: Node | None = InC(text).get_single_node()
    return found


__all__ = ["MappingNode", "Node", "SequenceNode", "compose"]
