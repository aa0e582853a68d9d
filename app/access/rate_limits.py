"""Rate limits that all processes on one database share."""

from __future__ import annotations

import math

from sqlalchemy import Double, case, delete, literal, or_, select

from app.access.callers import Caller
from app.access.grants import Limit
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import rate_limits
from app.encryption import Cipher

_CLOCK_TOLERANCE = 60.0  # seconds; a window that starts later than this from now is the work of a clock that was set
_KEPT_FOR = 86_400.0  # seconds, longer than any window


class TooManyCalls(Exception):
    """429: the caller has used up its limit. `retry_after` is in seconds."""

    def __init__(self, limit: Limit, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"more than {limit.calls} calls within {limit.seconds / 60:.0f} minutes: "
            f"send this again in {retry_after} seconds"
        )


class RateLimits:
    """Counts calls for each caller. A window starts with its first call and ends after the limit's seconds.

    The caller's identity is kept as a keyed hash only.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def count(self, limit: Limit, caller: Caller) -> None:
        """Count one call. Raises TooManyCalls, which counts nothing, and DatabaseAway."""
        key = self._cipher.fingerprint("rate-limit", limit.bucket, caller.kind, caller.identity)
        start, calls = rate_limits.c.started_at, rate_limits.c.calls
        window = literal(limit.seconds, Double)
        is_over = or_(start <= now() - window, start > now() + literal(_CLOCK_TOLERANCE, Double))
        insert = self._database.insert(rate_limits).values(key=key, started_at=now(), calls=1)
        upsert = insert.on_conflict_do_update(
            index_elements=[rate_limits.c.key],
            set_={"started_at": case((is_over, now()), else_=start), "calls": case((is_over, 1), else_=calls + 1)},
            where=or_(is_over, calls < limit.calls),
        ).returning(calls)
        with self._database.transaction() as connection:
            if connection.execute(upsert).first() is not None:
                return
            left = connection.scalar(select(start + window - now()).where(rate_limits.c.key == key))
        raise TooManyCalls(limit, max(1, math.ceil(left or 0)))

    def delete_expired(self) -> None:
        """Delete windows that ended long ago. A periodic task of the worker. Raises DatabaseAway."""
        expired = rate_limits.c.started_at < now() - literal(_KEPT_FOR, Double)
        with self._database.reading() as connection:
            if connection.execute(select(rate_limits.c.key).where(expired).limit(1)).first() is None:
                return
        with self._database.transaction() as connection:
            connection.execute(delete(rate_limits).where(expired))
