"""Addresses to listen at as people write them: `127.0.0.1:9751`, `[::1]:9751`, `localhost:9751`."""

import re

_WRITTEN = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9.-]+)):(?P<port>\d{1,5})")


def parsed_address(text: str) -> tuple[str, int]:
    """The host, without brackets, and the port (0: any free one); ValueError with a sentence."""
    written = _WRITTEN.fullmatch(text)
    if written is None:
        raise ValueError(f"{text!r} is not an address to listen at")
    port = int(written["port"])
    if port > 65_535:
        raise ValueError(f"{port} is not a port: they end at 65535")
    return written["six"] or written["name"], port
