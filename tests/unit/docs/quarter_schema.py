"""The published schema of the quarter's document: `python -m tests.unit.docs.quarter_schema` writes it."""

import json
from pathlib import Path

from drorch.core.documenting import schema_of
from drorch.core.quarter_document import QuarterDocument

FILE = Path(__file__).parents[3] / "docs" / "schema" / "quarter.json"


def text() -> str:
    """As the file holds it."""
    return (
        json.dumps(schema_of(QuarterDocument, "drorch: the report of a quarter"), indent=1) + "\n"
    )


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
