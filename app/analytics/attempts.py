"""Making what may be made, and noting what may not."""

from __future__ import annotations

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.database.engine import DatabaseAway, first_line

_WILL_NOT_PASS = (psycopg.ProgrammingError, psycopg.NotSupportedError)
"""No right to it, or it rests on what is lacking itself."""


class Attempts:
    """`lacking` are the names of what is not there for us, and why."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lacking: dict[str, str] = {}

    def make(self, name: str, *statements: str) -> bool:
        """Raises DatabaseAway for what may pass: a lock that somebody holds must not pass for a right that we lack."""
        try:
            with self.connection.begin_nested():
                for statement in statements:
                    self.connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if error.orig is None or not isinstance(error.orig, _WILL_NOT_PASS):
                raise DatabaseAway(f"{name} cannot be made now: {first_line(error.orig or error)}") from error
            self.lacking[name] = first_line(error.orig)
            return False
        return True

    def lack(self, name: str, reason: str) -> None:
        self.lacking[name] = reason
