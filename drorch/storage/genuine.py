"""What is undamaged is not yet genuine: who judges objects before they spread to another region.

A name proves an object's content, not who wrote it: with a region's credentials alone anybody can
put well-named keys, index and snapshots there, or put back what was forgotten and revoked. Who
judges needs the journal and the repository's key, which storage has not: see actions/genuine.py.
"""

from collections.abc import Callable

from drorch.storage.layout import Kind, Named

#: The kinds of objects that are judged; data needs no judge, as nothing genuine names what was
#: planted.
JUDGED = frozenset({Kind.KEYS, Kind.INDEX, Kind.SNAPSHOTS})

#: What is read whole to be judged, in bytes: restic's indexes have at most some ten million.
LARGEST_JUDGED = 64 * 1024 * 1024

#: Given an object of kind keys, index or snapshots and its content (whose hash is its name): empty
#: if it may be copied into a region, else why not, as the end of a sentence. Raises DrorchError
#: where that cannot be told (the repository's key does not open): then nothing may be copied.
Judge = Callable[[Named, bytes], str]


def anything_goes(_: Named, __: bytes) -> str:
    """Judges nothing: for sources whose every object we have written ourselves."""
    return ""


def too_large(named: Named) -> str:
    """Why an object is not even read; empty if it may be."""
    return "it is larger than any of restic's" if named.size > LARGEST_JUDGED else ""
