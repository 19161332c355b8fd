"""Everything that is told, as the text a scraper asked for.

What is told of datasets changes only with the overview, and there may be tens of thousands of them:
it is written once for each form, and kept until there is a newer one.
"""

import gzip
import threading
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from drorch.core.vitals import DaemonState, Overview
from drorch.metrics.families import build_family, overview_families, state_families
from drorch.metrics.lines import written
from drorch.metrics.source import Vitals


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered: the text, and what it is."""

    text: bytes
    kind: str

    def packed(self) -> bytes:
        """The text by gzip."""
        return gzip.compress(self.text, compresslevel=1)


class Exposition:
    """The newest overview of a source, and its state, as text. Thread-safe."""

    def __init__(self, source: Vitals) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._overview: Overview | None = None
        self._written: dict[bool, bytes] = {}
        # One of our own: a process may have several of these.
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)

    def page(self, accept: str) -> Page:
        """Everything, in the form that the header `Accept` asks for."""
        try:
            encoder, kind = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is none
            encoder, kind = choose_encoder("")
        openmetrics = kind.startswith("application/openmetrics-text")
        now = (build_family(), *state_families(self._source.state()))
        parts = (
            self._of_overview(openmetrics=openmetrics),
            written(now, openmetrics=openmetrics),
            encoder(self._process),  # the last: OpenMetrics ends with a mark
        )
        return Page(b"".join(parts), kind)

    def _of_overview(self, *, openmetrics: bool) -> bytes:
        overview = self._source.overview()
        if overview is None:
            return b""
        # Held while it is written: two scrapers do not write it twice.
        with self._lock:
            if overview is not self._overview:
                self._overview, self._written = overview, {}
            if openmetrics not in self._written:
                text = written(overview_families(overview), openmetrics=openmetrics)
                self._written[openmetrics] = text
            return self._written[openmetrics]


def whole_text(overview: Overview | None, state: DaemonState | None) -> bytes:
    """What there is in the form that every reader of files understands; without what tells of the
    process, of which such a file has many.
    """
    families = [build_family()]
    families += overview_families(overview) if overview is not None else []
    families += state_families(state) if state is not None else []
    return written(families, openmetrics=False)
