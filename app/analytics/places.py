"""A country's own files about its places: `analytics/location_levels.csv` and `analytics/location_statistics.csv`."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from app.analytics.store import AnalyticsStore
from app.analytics.tables import LOCK, Unusable, qualified

Value = str | int | float | None

_GREATEST = 2**31 - 1  # of PostgreSQL's integer


def _whole(written: str) -> int:
    number = int(written)
    if abs(number) > _GREATEST:
        raise ValueError
    return number


COLUMNS: Mapping[str, Mapping[str, Callable[[str], Value]]] = {
    "location_levels": {"id": str, "level": _whole, "name": str},
    "location_statistics": {
        "name": str,
        "reference_id": str,
        "year": _whole,
        "crude_birth_rate": float,
        "male_population": _whole,
        "female_population": _whole,
        "total_population": _whole,
    },
}


class Left(Exception):
    """Places that could not be taken over; the message says which and why."""


class InvalidFile(Left):
    """A file of the country's cannot be used; the message says where and why."""


def read_file(path: Path, table: str) -> list[dict[str, Value]]:
    """Its rows by the columns of the table; what is empty is None. Raises InvalidFile."""
    columns = COLUMNS[table]
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = columns.keys() - set(reader.fieldnames or ())
            if missing:
                raise InvalidFile(f"{path}: the first line lacks the columns {', '.join(sorted(missing))}")
            rows = [_row(line, columns, f"{path}, line {reader.line_num}") for line in reader]
    except UnicodeDecodeError:
        raise InvalidFile(f"{path} is not in UTF-8: save it as such, which spreadsheets call CSV UTF-8") from None
    except (OSError, csv.Error) as error:
        raise InvalidFile(f"{path}: {error}") from None
    if table == "location_statistics":
        _refuse_twice(rows, path)
    return rows


def _refuse_twice(rows: Sequence[Mapping[str, Value]], path: Path) -> None:
    """What is joined with it would be counted twice."""
    counted = Counter((row["reference_id"], row["year"]) for row in rows)
    for (place, year), times in counted.items():
        if place is not None and year is not None and times > 1:
            raise InvalidFile(f"{path}: {place} has {times} lines for the year {year}; one is wanted")


def _row(line: dict[Any, Any], columns: Mapping[str, Callable[[str], Value]], where: str) -> dict[str, Value]:
    if None in line or None in line.values():  # where `csv` puts too many, and what it has for too few
        raise InvalidFile(f"{where}: it has not as many cells as the first line, empty ones counted")
    row: dict[str, Value] = {}
    for column, read in columns.items():
        written = str(line[column]).strip()
        try:
            row[column] = read(written) if written else None
        except ValueError:
            raise InvalidFile(f"{where}: {column} is no number that can be kept: {written!r}") from None
    return row


@contextmanager
def writing(store: AnalyticsStore) -> Iterator[Connection]:
    """A transaction in which nobody else writes. Raises Unusable and DatabaseAway."""
    try:
        with store.database.transaction() as connection:
            if not store.database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            yield connection
    except ProgrammingError as error:
        raise Unusable(f"ANALYTICS_DATABASE_URL: {said_by(error)}") from error


def said_by(error: DBAPIError) -> str:
    """The first line only: the others may show the row."""
    return str(error.orig).partition("\n")[0]


def replace_table(store: AnalyticsStore, table: str, path: Path) -> int:
    """The file is all there is; how many rows it has. Raises InvalidFile, Unusable and DatabaseAway."""
    rows = read_file(path, table)
    name, columns = qualified(store.database, table), list(COLUMNS[table])
    places = ", ".join(f":{column}" for column in columns)
    try:
        with writing(store) as connection:
            connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
            if rows:
                connection.execute(text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"), rows)  # noqa: S608
    except (DataError, IntegrityError) as error:
        raise InvalidFile(f"{path}: the database refuses it: {said_by(error)}") from None
    return len(rows)
