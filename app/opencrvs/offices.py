"""The office that a record was made in, by the id that core gives: its name for messages, its code for rules.

Core's locations are kept in the database, so that the web processes and a worker that was just started have them
without asking. The worker keeps them up to date; what is old is better than nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, exists, func, select

from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.tables import locations
from app.opencrvs.locations import CoreLocations, Location, Refused, Unavailable, place_id

log = structlog.get_logger()

FRESH_FOR = 3_600.0  # seconds; after it they are asked for again, in the background
LOOK_AGAIN_AFTER = 300.0  # for an office that is not among them: it may be new
ASK_AGAIN_AFTER = 60.0  # whatever came of it: a core that is away must not be waited for with each message
_PATIENCE = 5.0
_LONGEST_CLOSE = 2.0


@dataclass(frozen=True)
class Office:
    """A location of core's. `code` is the country's own for it, core's externalId, or empty. One may be closed."""

    id: str
    name: str
    code: str
    is_active: bool = True


class Offices:
    """Core's locations as kept in this database. Safe for threads, and for several processes on one database."""

    def __init__(
        self,
        database: Database,
        core: CoreLocations | None,
        *,
        token: Callable[[], str] = str,
        clock: Callable[[], float] = time.monotonic,
        patience: float = _PATIENCE,
    ) -> None:
        """Without a core nothing is fetched.

        `token` gives a token of core's where the caller of `fill` has none, "" where there is none at all. `patience`
        is in seconds: `fill` waits no longer, nor does `close`.
        """
        self._database = database
        self._core = core
        self._token = token
        self._clock = clock
        self._patience = patience
        self._lock = threading.Lock()
        self._fetch: _Fetch | None = None
        self._ask_again_at = self._look_for_a_token_at = float("-inf")
        self._is_closing = self._is_closed = False

    def find(self, location_id: str, on: str | None = None) -> Office | None:
        """Return the office, by the name and the code that it had `on` a date (YYYY-MM-DD); without one, as it is now.

        None where it is not known, or not yet. Asks the database only; raises DatabaseAway.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(locations).where(locations.c.id == place_id(location_id))).one_or_none()
        if row is None:
            return None
        versions = json.loads(row.versions) if row.versions and on is not None else []
        current = (None, row.name, row.external_id)
        _, name, code = next((one for one in reversed(versions) if one[0] <= on), versions[0] if versions else current)
        return Office(row.id, name, code or "", row.active)

    def fill(self, token: str = "", location_id: str | None = None, *, wait: bool = True) -> None:
        """See to it that `find` finds, as far as core, asked with this token, lets it. Raises DatabaseAway.

        Waits, unless told not to, where nothing was ever fetched, or where this location is not among what was; else
        what is old is refreshed in the background.
        """
        if self._core is None:
            return
        age, is_known = self._kept(location_id)
        if age is None or (not is_known and age >= LOOK_AGAIN_AFTER):
            fetch = self._fetching(self._core, token)
            if fetch is not None and wait:
                fetch.thread.join(max(0.0, fetch.awaited_until - self._clock()))
        elif age >= FRESH_FOR:
            self._fetching(self._core, token)

    def close(self) -> None:
        """Ask core no more. What it was asked for is waited for, but briefly."""
        with self._lock:
            self._is_closing = True
        if self._fetch is not None:
            self._fetch.thread.join(min(self._patience, _LONGEST_CLOSE))
        self._is_closed = True

    def _kept(self, location_id: str | None) -> tuple[float | None, bool]:
        """Seconds since core last listed any, None if it never did; and whether this one is among them."""
        # Without those of the future: a clock that was set back must not make them fresh until it is there again.
        newest = select(now() - func.max(locations.c.refreshed_at)).where(locations.c.refreshed_at <= now())
        with self._database.reading() as connection:
            age = connection.scalar(newest)
            if location_id is None:
                return age, True
            return age, bool(connection.scalar(select(exists().where(locations.c.id == place_id(location_id)))))

    def _fetching(self, core: CoreLocations, token: str) -> _Fetch | None:
        """What is under way; a new one, where core may be asked again; else None."""
        with self._lock:
            if self._fetch is not None and self._fetch.thread.is_alive():
                return self._fetch
            not_before = self._ask_again_at if token else max(self._ask_again_at, self._look_for_a_token_at)
            if self._is_closing or self._clock() < not_before:
                return None
            thread = threading.Thread(target=self._run, args=(core, token), name="offices", daemon=True)
            self._fetch = _Fetch(thread, self._clock() + self._patience)
            thread.start()
            return self._fetch

    def keep(self, listed: Sequence[Location]) -> None:
        """Keep what core lists. Raises DatabaseAway."""
        with self._database.transaction() as connection:
            _keep(connection, self._database, listed)
        log.info("locations.refreshed", listed=len(listed))

    def is_fresh(self) -> bool:
        """Whether core's list was kept within the last hour. Raises DatabaseAway."""
        age, _ = self._kept(None)
        return age is not None and age < FRESH_FOR

    def _run(self, core: CoreLocations, given: str) -> None:
        token = ""
        try:
            token = given or self._token()
            if token:
                self._refresh(core, token)
        except DatabaseAway as error:
            log.warning("locations.not_kept", reason=str(error))
        except Exception:
            log.exception("locations.crashed")  # a message goes out without it
        finally:
            with self._lock:
                again = self._clock() + ASK_AGAIN_AFTER
                if token:
                    self._ask_again_at = again
                else:
                    self._look_for_a_token_at = again  # who brings one need not wait for it

    def _refresh(self, core: CoreLocations, token: str) -> None:
        listed = core.locations(token)
        if isinstance(listed, Refused | Unavailable):
            log.warning("locations.unavailable", reason=listed.reason)
            return
        if not self._is_closed:  # as the database is
            self.keep(listed)


@dataclass(frozen=True)
class _Fetch:
    thread: threading.Thread
    awaited_until: float


def _keep(connection: Connection, database: Database, listed: Sequence[Location]) -> None:
    """Put in what core lists. What it no longer lists stays, since an old record may name it."""
    insert = database.insert(locations)
    renewed = insert.values(refreshed_at=now()).on_conflict_do_update(
        index_elements=[locations.c.id],
        set_={column.name: insert.excluded[column.name] for column in locations.c if not column.primary_key},
    )
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "external_id": one.external_id,
            "administrative_area_id": one.administrative_area_id,
            "location_type": one.location_type,
            "active": one.is_active,
            "versions": _versions(one),
        }
        for one in sorted(listed, key=lambda one: one.id)  # in one order: two that write at once must not deadlock
    ]
    if rows:
        connection.execute(renewed, rows)


def _versions(location: Location) -> str | None:
    if not location.versions:
        return None
    return json.dumps([(version.effective_from, version.name, version.external_id) for version in location.versions])
