"""Registration numbers: unique in the database, and made in the write that keeps the decision."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable

from sqlalchemy import Connection, exists, select

from app.country import Action, Country
from app.country.action import OfficeUnknown
from app.database.engine import Database
from app.database.tables import decisions, serials
from app.decisions.forms import NoNumber, number_text
from app.timed_calls import TimedCalls

__all__ = ["NoNumber", "drawn", "is_taken", "made"]

_ALPHABET = string.digits + string.ascii_uppercase
_LENGTH = 12
_MOST_DRAWS = 100
_TIME = 1.0  # seconds for all draws together: the write waits for them, and others for the write

_calls = TimedCalls(most_hanging=8)


def drawn() -> str:
    """The shipped default: 12 characters of 0-9A-Z at random."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def made(connection: Connection, database: Database, country: Country, action: Action) -> str:
    """A number that no decision has, by the country's hook or the default; serials are counted in this transaction.

    Raises NoNumber, CountryTimeout, and whatever the hook raises.
    """
    hook = country.number_hook(action.event.type)
    if hook is None:
        return _untaken(connection, drawn)
    until = time.monotonic() + _TIME
    try:
        series = _calls(lambda: str(hook.series(action)), _TIME)
    except OfficeUnknown as error:
        raise NoNumber(str(error)) from None

    def next_number() -> str:
        serial = _next_serial(connection, database, series)
        left = until - time.monotonic()
        if left <= 0:
            raise NoNumber(f"registration_number found none that is free within {_TIME:g} s")
        try:
            return number_text(_calls(lambda: hook.number(action, serial), left))
        except OfficeUnknown as error:
            raise NoNumber(str(error)) from None

    return _untaken(connection, next_number)


def example(country: Country, action: Action) -> str:
    """What the first number would be, without counting anything. Raises as `made` does."""
    hook = country.number_hook(action.event.type)
    if hook is None:
        return drawn()
    return number_text(_calls(lambda: (hook.series(action), hook.number(action, 1))[1], _TIME))


def is_taken(connection: Connection, number: str) -> bool:
    """Whether a decision has this number already."""
    return bool(connection.scalar(select(exists().where(decisions.c.registration_number == number))))


def _untaken(connection: Connection, draw: Callable[[], str]) -> str:
    for _ in range(_MOST_DRAWS):
        number = draw()
        if not is_taken(connection, number):
            return number
    raise NoNumber(f"{_MOST_DRAWS} numbers in a row were taken: does registration_number use the serial?")


def _next_serial(connection: Connection, database: Database, series: str) -> int:
    # The row stays locked until the commit, so that serials have no gaps: one that is rolled back is given out again.
    insert = database.insert(serials).values(series=series, value=1)
    counted = insert.on_conflict_do_update(
        index_elements=[serials.c.series], set_={"value": serials.c.value + 1}
    ).returning(serials.c.value)
    return int(connection.execute(counted).scalar_one())
