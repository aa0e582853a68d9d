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
    """The message is the kind of error, and the constraint that is violated, where it is named."""


@contextmanager
def telling_refusals() -> Iterator[None]:
    """Raises RefusedByDatabase for what one event may hold."""
    try:
        yield
    except _KINDS as error:
        raise RefusedByDatabase(_kind(getattr(error, "orig", error))) from error
    except (ProgrammingError, psycopg.ProgrammingError) as error:
        reason = getattr(error, "orig", error)
        if isinstance(reason, psycopg.errors.RaiseException):  # of a country's own trigger
            raise RefusedByDatabase(type(reason).__name__) from error
        raise


def _kind(error: BaseException | None) -> str:
    """Without the message, which quotes the row."""
    constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
    return f"{type(error).__name__} of {constraint}" if constraint else type(error).__name__
