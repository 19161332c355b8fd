"""journal/statements.py from queries.py and between.py: `python -m drorch.journal.rendering` does it.

Importing SQLAlchemy takes longer than anything a command does with a journal, so the texts are
made ahead of time. A test holds the file equal to what is rendered here (docs/adr/0006).
"""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine import Dialect, make_url

from drorch.journal import between, queries, schema
from drorch.journal.connection import Statement

TARGET = Path(__file__).with_name("statements.py")

_TOP = '''"""The statements as text. Made from journal/queries.py and between.py by `python -m drorch.journal.rendering`."""

from drorch.journal.connection import Statement

#: The revision of the schema they are for.
REVISION = "{revision}"
'''

_SQLITE = pysqlite.dialect(paramstyle="named")
_POSTGRESQL = make_url("postgresql+psycopg://").get_dialect()()


def statements() -> Mapping[str, Statement]:
    """Every statement by its name."""
    return {
        name: Statement(_text(query, _SQLITE), _text(query, _POSTGRESQL))
        for name, query in {**vars(queries), **vars(between)}.items()
        if name.isupper() and not name.startswith("_")
    }


def _text(query: ClauseElement, dialect: Dialect) -> str:
    compiled = query.compile(dialect=dialect)
    if any(value is not None for value in compiled.params.values()):
        raise ValueError(f"a value stands in a statement, not a name for it: {compiled}")
    return "\n".join(line.strip() for line in str(compiled).splitlines())


def module() -> str:
    """The module's source."""
    parts = [
        f'{name} = Statement(\n    """{text.sqlite}""",\n    """{text.postgresql}""",\n)\n'
        for name, text in statements().items()
    ]
    return "\n".join([_TOP.format(revision=schema.REVISION), *parts])


if __name__ == "__main__":
    TARGET.write_text(module())
