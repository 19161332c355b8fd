"""Statements of the hot path: rendered once for each dialect, then handed to the driver as text.

Every event is a durable commit of its own, and Core's building and caching of a statement costs
more than SQLite takes to execute it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Connection


class Prepared:
    """A statement whose parameters are all plain: text, numbers, booleans, None."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._rendered: dict[str, tuple[str, Sequence[str] | None]] = {}

    def execute(self, connection: Connection, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each mapping of parameters."""
        text, order = self._rendered.get(connection.dialect.name) or self._render(connection)
        if order is None:
            connection.exec_driver_sql(text, [dict(p) for p in parameters])
        else:
            connection.exec_driver_sql(text, [tuple(p[name] for name in order) for p in parameters])

    def _render(self, connection: Connection) -> tuple[str, Sequence[str] | None]:
        compiled = self._statement.compile(dialect=connection.dialect)
        # None where the driver takes parameters by name.
        rendered = str(compiled), getattr(compiled, "positiontup", None)
        self._rendered[connection.dialect.name] = rendered
        return rendered
