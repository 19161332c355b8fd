"""Evidence held in memory."""

import hashlib

from drorch.core.values import Evidence


class FakeEvidence:
    """Keeps contents by run and name; `content` gives them back."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def keep(self, run: str, name: str, content: bytes) -> Evidence:
        """Keep and name by hash."""
        self._kept[run, name] = content
        return Evidence(name, hashlib.sha256(content).hexdigest(), len(content))

    def read(self, run: str, name: str, sha256: str) -> bytes:
        """What was kept."""
        content = self._kept[run, name]
        assert hashlib.sha256(content).hexdigest() == sha256
        return content

    def content(self, run: str, name: str) -> bytes:
        """What was kept."""
        return self._kept[run, name]
