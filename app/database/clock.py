"""The database's clock, as an SQL expression: one clock for all hosts."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[float]):  # noqa: N801  reads as the SQL function that it is
    """UTC seconds since 1970. On PostgreSQL the time of the call, not of the transaction's start."""

    type = Double()
    inherit_cache = True


@compiles(now, "postgresql")
def _on_postgresql(_element: now, _compiler: Any, **_: Any) -> str:
    return "extract(epoch FROM clock_timestamp())::double precision"


@compiles(now, "sqlite")
def _on_sqlite(_element: now, _compiler: Any, **_: Any) -> str:
    # Julian days: unixepoch('subsec') would need SQLite 3.42.
    return "((julianday('now') - 2440587.5) * 86400.0)"
