"""Many rows at once: the text of PostgreSQL's COPY, and SQLite's executemany."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

from sqlalchemy import Connection

from app.analytics.rows import COLUMNS, Row

NULL = "\x02"
"""How COPY reads a null: no text of a record is this very character, or it is escaped."""

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", NULL: r"\x02"})


def projected(rows: Sequence[Row], columns: Sequence[str]) -> Sequence[Row]:
    """The rows of a table that has these columns only."""
    if len(columns) == len(COLUMNS):
        return rows
    pick = itemgetter(*(COLUMNS.index(column) for column in columns))
    return [pick(row) for row in rows]


def copy_text(rows: Sequence[Row]) -> str:
    """Lines for COPY ... WITH (NULL E'\\x02')."""
    return "".join([_line(row) for row in rows])


def _line(row: Row) -> str:
    line = "\t".join([NULL if value is None else value for value in row])
    if (
        "\\" in line
        or "\n" in line
        or "\r" in line
        or line.count("\t") != len(row) - 1
        or line.count(NULL) != row.count(None)
    ):
        line = "\t".join([NULL if value is None else value.translate(_ESCAPES) for value in row])
    return line + "\n"


def insert_all(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """On SQLite."""
    if rows:
        places = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", list(rows))  # noqa: S608
