"""What a snapshot holds, read from its trees without starting restic: names, sizes, and hashes.

Knows restic's design.rst: an index says in which pack each blob lies; a tree is a blob of JSON that
names what a folder holds; a file is a list of data blobs, each named by the SHA-256 of its plain
bytes. So what lies on a disk can be held against a snapshot byte by byte, and of the repository only
the index and the trees are read: none of the data.
"""

import hashlib
import json
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from drorch.restic.authentic import NotGenuine, SealingKey

#: IV and MAC of a sealed blob, in bytes.
_OVERHEAD: Final = 32

#: Bytes of packs that are kept at hand: the trees of one folder's subfolders often share a pack.
_KEPT: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Node:
    """One entry of a folder. `kind` is restic's word (file, dir, symlink, …); `content` are the
    ids of a file's blobs in order, `subtree` that of a folder's tree.
    """

    name: str
    kind: str
    size: int = 0
    target: str = ""
    content: tuple[bytes, ...] = ()
    subtree: bytes = b""


@dataclass(frozen=True, slots=True)
class _Place:
    pack: str
    offset: int
    length: int
    compressed: bool


class BlobIndex:
    """Where trees lie, and how long data blobs are; some 200 bytes of memory for each blob."""

    def __init__(self) -> None:
        self._trees: dict[bytes, _Place] = {}
        self._lengths: dict[bytes, int] = {}

    def take(self, document: Mapping[str, Any]) -> None:
        """Take in one index; NotGenuine if it is none."""
        try:
            for pack in document["packs"] or ():
                for blob in pack["blobs"]:
                    self._note(str(pack["id"]), blob)
        except (KeyError, TypeError, ValueError) as error:
            raise NotGenuine("an index cannot be understood") from error

    def length(self, blob: bytes) -> int:
        """The plain bytes of a data blob; NotGenuine if no index names it."""
        if blob not in self._lengths:
            raise NotGenuine(f"no index names the data blob {blob.hex()[:8]}")
        return self._lengths[blob]

    def place(self, tree: bytes) -> _Place:
        """Where a tree lies; NotGenuine if no index names it."""
        if tree not in self._trees:
            raise NotGenuine(f"no index names the tree {tree.hex()[:8]}")
        return self._trees[tree]

    def _note(self, pack: str, blob: Mapping[str, Any]) -> None:
        key, plain = bytes.fromhex(blob["id"]), int(blob.get("uncompressed_length") or 0)
        if blob["type"] == "data":
            self._lengths[key] = plain or int(blob["length"]) - _OVERHEAD
        else:
            place = _Place(pack, int(blob["offset"]), int(blob["length"]), bool(plain))
            self._trees[key] = place


class Trees:
    """The folders of one repository. `fetch` gives a whole pack by its id."""

    def __init__(self, key: SealingKey, index: BlobIndex, fetch: Callable[[str], bytes]) -> None:
        self._key = key
        self._index = index
        self._fetch = fetch
        self._packs: OrderedDict[str, bytes] = OrderedDict()

    def lengths(self, node: Node) -> Iterator[tuple[bytes, int]]:
        """The blobs of a file: id and plain length, in order."""
        return ((blob, self._index.length(blob)) for blob in node.content)

    def nodes(self, tree: bytes) -> list[Node]:
        """What a folder holds; NotGenuine if its tree is missing, damaged or not the repository's."""
        place = self._index.place(tree)
        sealed = self._pack(place.pack)[place.offset : place.offset + place.length]
        plain = self._key.blob(sealed, compressed=place.compressed)
        if hashlib.sha256(plain).digest() != tree:
            raise NotGenuine(f"the tree {tree.hex()[:8]} is not what its name says")
        try:
            return [read_node(found) for found in json.loads(plain)["nodes"] or ()]
        except (KeyError, TypeError, ValueError) as error:
            raise NotGenuine(f"the tree {tree.hex()[:8]} cannot be understood") from error

    def at(self, tree: bytes, path: PurePosixPath) -> Node | None:
        """The entry at an absolute path below a snapshot's tree; None if there is none."""
        node = Node("/", "dir", subtree=tree)
        for part in path.parts[1:]:
            inside = self.nodes(node.subtree) if node.kind == "dir" else []
            found = next((n for n in inside if n.name == part), None)
            if found is None:
                return None
            node = found
        return node

    def _pack(self, pack: str) -> bytes:
        if pack not in self._packs:
            content = self._fetch(pack)
            if hashlib.sha256(content).hexdigest() != pack:
                raise NotGenuine(f"the pack {pack[:8]} is not what its name says")
            self._packs[pack] = content
            while len(self._packs) > 1 and _size(self._packs.values()) > _KEPT:
                self._packs.popitem(last=False)
        self._packs.move_to_end(pack)
        return self._packs[pack]


def read_node(found: Mapping[str, Any]) -> Node:
    """An entry as its tree's JSON has it."""
    raw = found.get("linktarget_raw")
    target = _bytes_of_base64(raw) if raw else str(found.get("linktarget") or "")
    return Node(
        name=_unquoted(str(found["name"])),
        kind=str(found["type"]),
        size=int(found.get("size") or 0),
        target=target,
        content=tuple(bytes.fromhex(blob) for blob in found.get("content") or ()),
        subtree=bytes.fromhex(found.get("subtree") or ""),
    )


def _size(packs: Iterable[bytes]) -> int:
    return sum(map(len, packs))


def _bytes_of_base64(text: str) -> str:
    import base64

    return os.fsdecode(base64.b64decode(text))


_ESCAPE = re.compile(
    rb'\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\"\'])'
)
_SHORT = dict(zip(b"abfnrtv\\\"'", b"\a\b\f\n\r\t\v\\\"'", strict=True))


def _unquoted(name: str) -> str:
    r"""A name as Go's strconv.Quote wrote it, without the quotes: bytes that are no text stand as \xNN."""

    def plain(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code[:1] == b"x":
            return bytes([int(code[1:], 16)])
        if code[:1] in (b"u", b"U"):
            return chr(int(code[1:], 16)).encode("utf-8", "surrogatepass")
        return bytes([int(code, 8)]) if code[:1].isdigit() else bytes([_SHORT[code[0]]])

    return os.fsdecode(_ESCAPE.sub(plain, name.encode("utf-8", "surrogateescape")))
