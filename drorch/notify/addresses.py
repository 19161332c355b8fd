"""Which parts of a channel's address could be keys.

Services put theirs anywhere: `slack://TOKEN/TOKEN/TOKEN`, `mailto://user:password@host`,
`https://host/ping/UUID`, with dots or without. So everything is one, but for the host itself.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

#: Shorter parts are words such as `api`.
_SHORTEST = 4
_HOST = re.compile(r"(?:[\w-]+\.)+[\w-]+|localhost|\[[0-9a-fA-F:]+\]")


def without_secrets(text: str, address: str) -> str:
    """The text with every part of the address that could be a key replaced by `***`.

    Only here: elsewhere such a part may be a word like any other.
    """
    for part in sorted(set(_parts(address)), key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def _parts(address: str) -> Iterator[str]:
    _, _, rest = address.partition("://")
    authority, _, tail = rest.partition("/")
    user, at, host = authority.rpartition("@")
    parts = [address, *(user.split(":", 1) if at else ())]
    if not _HOST.fullmatch(re.sub(r":\d+$", "", host.partition("?")[0])):
        parts += re.split(r"[:?&=]", host)
    parts += re.split(r"[/?&=#,]", tail)
    for part in parts:
        if len(part) >= _SHORTEST:
            yield part
            yield unquote(part)
