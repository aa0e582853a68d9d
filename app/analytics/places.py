"""A country's own files about its places: `analytics/location_levels.csv` and `analytics/location_statistics.csv`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import text

from app.analytics.store import AnalyticsStore
from app.analytics.tables import qualified

Value = str | int | float | None

COLUMNS: Mapping[str, Mapping[str, Callable[[str], Value]]] = {
    "location_levels": {"id": str, "level": int, "name": str},
    "location_statistics": {
        "name": str,
        "reference_id": str,
        "year": int,
        "crude_birth_rate": float,
        "male_population": int,
        "female_population": int,
        "total_population": int,
    },
}


class InvalidFile(Exception):
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
            return [_row(line, columns, f"{path}, line {reader.line_num}") for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidFile(f"{path}: {error}") from None


def _row(line: Mapping[str, str | None], columns: Mapping[str, Callable[[str], Value]], where: str) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for column, read in columns.items():
        written = (line[column] or "").strip()
        try:
            row[column] = read(written) if written else None
        except ValueError:
            raise InvalidFile(f"{where}: {column} is no number: {written!r}") from None
    return row


def replace_table(store: AnalyticsStore, table: str, rows: list[dict[str, Value]]) -> None:
    """The file is all there is. Raises Unusable and DatabaseAway."""
    name, columns = qualified(store.database, table), list(COLUMNS[table])
    places = ", ".join(f":{column}" for column in columns)
    with store.database.transaction() as connection:
        connection.execute(text(f"DELETE FROM {name}"))  # noqa: S608
        if rows:
            connection.execute(text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"), rows)  # noqa: S608
