"""Everything that runs may import later, imported at once by one thread.

Commands load slow libraries when they need them. In a process in which many threads do so side by
side Python may hand one of them a module that another is only half through with. A test holds the
list whole.
"""

from importlib import import_module

from drorch.core.model import Configuration

#: What functions import, but for what only commands use that print papers.
MODULES = (
    "base64",
    "concurrent.futures",
    "contextlib",
    "cryptography.exceptions",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.ciphers",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.poly1305",
    "difflib",
    "drorch.actions.copying",
    "drorch.actions.places",
    "drorch.actions.salvage",
    "drorch.actions.table",
    "drorch.adapters.clock",
    "drorch.adapters.commands",
    "drorch.adapters.creations",
    "drorch.adapters.evidence",
    "drorch.adapters.exercised",
    "drorch.adapters.ownership",
    "drorch.adapters.run_logs",
    "drorch.adapters.secrets",
    "drorch.app.closing",
    "drorch.app.delivering",
    "drorch.app.drills",
    "drorch.app.heads",
    "drorch.app.keyring",
    "drorch.app.lives",
    "drorch.app.outbox",
    "drorch.app.plane.deleting",
    "drorch.app.readiness",
    "drorch.app.runs",
    "drorch.app.sealing",
    "drorch.config.compiled",
    "drorch.config.composer",
    "drorch.config.load",
    "drorch.config.runbooks",
    "drorch.config.validation",
    "drorch.core.codec",
    "drorch.core.nearest",
    "drorch.core.outcome",
    "drorch.journal.store",
    "drorch.metrics.textfile",
    "drorch.notify.messenger",
    "drorch.reports.html",
    "drorch.reports.markdown",
    "drorch.reports.pdf",
    "drorch.reports.run_tables",
    "drorch.reports.tables",
    "drorch.restic.landing",
    "drorch.sealing.keys",
    "drorch.sealing.packing",
    "drorch.storage.faults",
    "drorch.storage.probe",
    "drorch.storage.records",
    "drorch.storage.rest",
    "http.client",
    "importlib.metadata",
    "jinja2",
    "psycopg",
    "psycopg.conninfo",
    "sqlite3",
    "ssl",
    "tenacity",
    "urllib.request",
    "yaml.error",
    "zoneinfo",
    "zstandard",
)


def preload(configuration: Configuration) -> None:
    """Import it all; what only this configuration needs or does not is looked at."""
    from drorch.storage.loading import load

    load()
    for module in MODULES:
        import_module(module)
    if any(rule.to for rule in configuration.channels):
        import_module("drorch.notify.by_apprise")
        import_module("apprise")
