"""The database's clock, as an SQL expression: one clock for all hosts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[float]):  # noqa: N801  reads as the SQL function that it is
    """UTC seconds since 1970, at the start of the statement.

    The value is the same everywhere in one statement, so that an index serves a comparison with it. The next statement
    of a transaction sees a later time, however long the transaction is open. A statement that waits for a lock still
    has the time from before the wait: a lease that it takes then ends earlier, never later.
    """

    type = Double()
    inherit_cache = True


@compiles(now, "postgresql")
def _on_postgresql(_element: now, _compiler: Any, **_: Any) -> str:
    return "extract(epoch FROM statement_timestamp())::double precision"


@compiles(now, "sqlite")
def _on_sqlite(_element: now, _compiler: Any, **_: Any) -> str:
    # Julian days: unixepoch('subsec') would need SQLite 3.42.
    return "((julianday('now') - 2440587.5) * 86400.0)"
