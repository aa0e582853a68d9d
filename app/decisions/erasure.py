"""Core's tokens are kept for confirmations; once they have expired they are good for nothing, and are erased."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import decisions

_IS_OVER = (decisions.c.token.is_not(None), decisions.c.token_expires_at < now())


@dataclass(frozen=True)
class TokenErasure:
    """A chore of the worker's."""

    database: Database

    def erase_expired(self) -> None:
        """Raises DatabaseAway."""
        with self.database.reading() as connection:
            if connection.execute(select(decisions.c.event_id).where(*_IS_OVER).limit(1)).first() is None:
                return
        with self.database.transaction() as connection:
            connection.execute(update(decisions).where(*_IS_OVER).values(token=None))
