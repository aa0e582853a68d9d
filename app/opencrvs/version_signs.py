"""The signs by which the versions of core are known: each request shows by itself which core it came from.

Kept in the database, so that an operator can ask which versions were there before and after an upgrade.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
from sqlalchemy import ColumnElement, Double, ScalarSelect, func, literal, select

from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.tables import core_signs

log = structlog.get_logger()

_KEPT_EVERY = 3_600.0  # seconds, for each sign and process
_MAX_REMEMBERED = 200  # signs with their details; more are not kept, since somebody makes them up


class Sign(StrEnum):
    """What a version of core shows. Source of each: sections 1, 4 and 8 of the contract."""

    ACTION_BOUND = "action-bound-token"  # 2.0: the token of an event action is bound to it, with scopes
    SERVICE = "service-token"  # 2.1: it only proves that core calls
    UNAUTHENTICATED = "no-token"  # 2.0.0: two user triggers come without one
    ANONYMOUS = "anonymous-token"  # 2.0.1 to 2.0.4: announcements come with one of nobody's
    READY_WITHOUT_SCOPE = "ready-without-scope"  # 2.0.0: the token of system/ready cannot register anything
    READY_WITH_SCOPE = "ready-with-scope"  # from 2.0.1
    LINK_MESSAGE = "link-message"  # 2.1: a password or username is recovered by a link
    NEW_ACTION_TYPE = "new-action-type"  # 2.1: an action type that 2.0 does not have
    UNKNOWN_ACTION_TYPE = "unknown-action-type"  # newer than this server

    @property
    def version(self) -> str:
        """The versions of core that show it, for a person."""
        return _VERSIONS[self]

    @property
    def needs_client(self) -> bool:
        """Whether the version that shows it takes a confirmation only with a system client of ours."""
        return self in _OF_2_1


_VERSIONS = {
    Sign.ACTION_BOUND: "2.0",
    Sign.SERVICE: "2.1",
    Sign.UNAUTHENTICATED: "2.0.0",
    Sign.ANONYMOUS: "2.0.1 to 2.0.4",
    Sign.READY_WITHOUT_SCOPE: "2.0.0",
    Sign.READY_WITH_SCOPE: "2.0.1 or newer",
    Sign.LINK_MESSAGE: "2.1",
    Sign.NEW_ACTION_TYPE: "2.1",
    Sign.UNKNOWN_ACTION_TYPE: "newer than 2.1",
}
_OF_2_1 = (Sign.SERVICE, Sign.LINK_MESSAGE, Sign.NEW_ACTION_TYPE, Sign.UNKNOWN_ACTION_TYPE)


@dataclass(frozen=True)
class SeenSign:
    """A sign, what it was seen of, and when: UTC seconds, the last time to the hour."""

    sign: Sign
    detail: str
    first_seen_at: float
    last_seen_at: float


_OF_EVENT_ACTIONS = (Sign.SERVICE, Sign.ACTION_BOUND)


def _last_seen(sign: Sign) -> ScalarSelect[float]:
    """UTC seconds of the last event action that showed it: these alone have an empty detail."""
    return (
        select(func.coalesce(func.max(core_signs.c.last_seen_at), 0.0))
        .where(core_signs.c.sign == sign.value, core_signs.c.detail == "")
        .scalar_subquery()
    )


IS_CORE_2_1: ColumnElement[bool] = _last_seen(Sign.SERVICE) > _last_seen(Sign.ACTION_BOUND)
"""Whether the core that asked last about an event action is 2.1, as its token shows."""


class VersionSigns:
    """The signs that core has shown to any process on this database. Safe for threads."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._kept_at: dict[tuple[Sign, str], float] = {}
        self._of_last_action: Sign | None = None

    def record(self, sign: Sign, detail: str = "") -> None:
        """Keep that core has shown this sign. Raises nothing: an answer to core never waits for it to succeed."""
        key = (sign, detail)
        with self._lock:
            last = self._kept_at.get(key)
            if not self._is_another_core(sign, detail) and last is not None and self._clock() - last < _KEPT_EVERY:
                return
            if last is None and len(self._kept_at) >= _MAX_REMEMBERED:
                return
            self._kept_at[key] = self._clock()
        if last is None:
            self._log(sign, detail)
        insert = self._database.insert(core_signs).values(
            sign=sign.value, detail=detail, first_seen_at=now(), last_seen_at=now()
        )
        renew = insert.on_conflict_do_update(
            index_elements=[core_signs.c.sign, core_signs.c.detail], set_={"last_seen_at": now()}
        )
        try:
            with self._database.transaction() as connection:
                connection.execute(renew)
        except DatabaseAway as error:
            log.warning("core_sign.not_kept", sign=sign, reason=str(error))

    def _is_another_core(self, sign: Sign, detail: str) -> bool:
        """Whether an event action comes from another version than the last one: that is kept at once."""
        if sign not in _OF_EVENT_ACTIONS or detail:
            return False
        before, self._of_last_action = self._of_last_action, sign
        return before is not sign

    def seen(self, within: float) -> Sequence[SeenSign]:
        """Return the signs of the last `within` seconds, by name. Raises DatabaseAway."""
        recent = (
            select(core_signs)
            .where(core_signs.c.last_seen_at > now() - literal(within + _KEPT_EVERY, Double))
            .order_by(core_signs.c.sign, core_signs.c.detail)
        )
        known = set(Sign)
        with self._database.reading() as connection:
            rows = connection.execute(recent).all()
        return [
            SeenSign(Sign(row.sign), row.detail, row.first_seen_at, row.last_seen_at)
            for row in rows
            if row.sign in known
        ]

    def is_core_2_1(self) -> bool:
        """Return whether the core that asked last about an event action is 2.1. Raises DatabaseAway."""
        with self._database.reading() as connection:
            return bool(connection.scalar(select(IS_CORE_2_1)))

    @staticmethod
    def _log(sign: Sign, detail: str) -> None:
        if sign is Sign.UNKNOWN_ACTION_TYPE:
            log.warning(
                "core_sign.seen",
                sign=sign,
                detail=detail,
                hint="this core is newer than this server: look for a newer version. Where such an action waits for an "
                "answer, it is accepted by default",
            )
        else:
            log.info("core_sign.seen", sign=sign, detail=detail or None)
