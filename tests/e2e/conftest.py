"""Whole installations, for programs that run as processes."""

from tests.integration.app.conftest import namespaces, premises, templates

__all__ = ["namespaces", "premises", "templates"]
