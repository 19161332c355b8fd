"""The paper version as a PDF."""

from dataclasses import asdict
from datetime import datetime

from drorch.reports.paper.view import Paper
from drorch.reports.typeset import typeset


def pdf(written: Paper, printed: datetime, size: str) -> bytes:
    """The pages, for sheets of that size (a4 or letter)."""
    paper = {"a4": "a4", "letter": "us-letter"}[size]
    return typeset("paper.typ", asdict(written), printed, {"size": paper})
