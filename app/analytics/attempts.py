"""Making what may be made, and noting what may not."""

from __future__ import annotations

import sqlite3

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.database.engine import DatabaseAway, first_line

_MAY_PASS = (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError)


class Attempts:
    """`lacking` are the names of what is not there for us, and why."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lacking: dict[str, str] = {}

    def make(self, name: str, *statements: str, can_wait: bool = False) -> bool:
        """Raises DatabaseAway for what may pass: a lock that somebody holds must not pass for a right that we lack.

        Where it `can_wait`, a lock is nothing to raise for: what is lacking is tried again before long.
        """
        try:
            with self.connection.begin_nested():
                for statement in statements:
                    self.connection.exec_driver_sql(statement)
        except DBAPIError as error:
            is_locked = isinstance(error.orig, psycopg.errors.LockNotAvailable)
            if isinstance(error.orig, _MAY_PASS) and not (is_locked and can_wait):
                raise DatabaseAway(f"{name} cannot be made now: {first_line(error.orig)}") from error
            self.lacking[name] = first_line(error.orig or error)
            return False
        return True

    def lack(self, name: str, reason: str) -> None:
        self.lacking[name] = reason
