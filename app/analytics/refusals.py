"""What a database refuses for what one event holds: the others are not to suffer from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

_KINDS = (
    IntegrityError,
    DataError,
    psycopg.IntegrityError,
    psycopg.DataError,
    sqlite3.IntegrityError,
)


class RefusedByDatabase(Exception):
    """The message is the kind of error."""


@contextmanager
def telling_refusals() -> Iterator[None]:
    """Raises RefusedByDatabase for what one event may hold."""
    try:
        yield
    except _KINDS as error:
        raise RefusedByDatabase(type(getattr(error, "orig", error)).__name__) from error
    except (ProgrammingError, psycopg.ProgrammingError) as error:
        reason = getattr(error, "orig", error)
        if isinstance(reason, psycopg.errors.RaiseException):  # of a country's own trigger
            raise RefusedByDatabase(type(reason).__name__) from error
        raise
