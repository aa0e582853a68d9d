"""Core's locations and administrative areas, in the tables for statistics, and the country's own files beside them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Double, literal
from sqlalchemy.exc import DataError, IntegrityError

from app.analytics.core_places import keep
from app.analytics.places import COLUMNS, InvalidFile, Left, replace_table, said_by
from app.analytics.store import AnalyticsStore
from app.analytics.tables import Unusable
from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.tables import chores
from app.opencrvs.locations import AdministrativeArea, CoreLocations, Location, Refused, Unavailable

log = structlog.get_logger()

EVERY = 3_600.0  # seconds; whichever worker does it
SOON = 60.0  # seconds, until what failed is tried again
CHORE = "analytics-locations"
CHORE_OF_FILES = "analytics-location-files"
_LONGEST_CLOSE = 2.0

_Place = TypeVar("_Place")


class NoToken(Left):
    """Core cannot be asked, since there is no token for it."""

    def __init__(self) -> None:
        super().__init__(
            "core's places: left, since there is no token for core: the next action that core asks about brings one, "
            "or set SYSTEM_CLIENT_ID and SYSTEM_CLIENT_SECRET"
        )


@dataclass
class Places:
    """`token` gives a token of core's that is good, "" where there is none. `main` is the outbox's database."""

    store: AnalyticsStore
    core: CoreLocations | None
    token: Callable[[], str]
    main: Database
    directory: Path | None
    _thread: threading.Thread | None = field(default=None, init=False)

    def refresh(self) -> None:
        """A chore: in the background, at most once an hour each, what can be had. Raises DatabaseAway."""
        if self._thread is not None and self._thread.is_alive():
            return
        chores_due = [chore for chore in (CHORE, CHORE_OF_FILES) if self._is_due(chore) and self._has_source(chore)]
        ours = [chore for chore in chores_due if self._is_ours(chore)]
        if ours:
            self._thread = threading.Thread(target=self._run, args=(ours,), name=CHORE, daemon=True)
            self._thread.start()

    def close(self) -> None:
        """What is under way is waited for, but briefly."""
        if self._thread is not None:
            self._thread.join(_LONGEST_CLOSE)

    def take_over(self) -> Iterator[str]:
        """All there is, each for itself, and a line to each.

        Raises Unusable and DatabaseAway; at the end InvalidFile, which names all that could not be taken over.
        """
        self.store.layout()
        wrong: list[str] = []
        for take in [self._of_core, *self._of_files()]:
            try:
                yield take()
            except (Left, Unusable) as error:
                wrong.append(str(error))
        if wrong:
            raise InvalidFile("\n".join(wrong))

    def _of_core(self) -> str:
        """Raises Left, Unusable and DatabaseAway."""
        if {"administrative_areas", "locations"} & set(self.store.layout().lacking):
            return "core's places: left, since their tables cannot be made"
        if self.core is None:
            return "core's places: left, since GATEWAY_URL is not set"
        token = self.token()
        if not token:
            raise NoToken
        return self.write(_listed(self.core.administrative_areas(token)), _listed(self.core.locations(token)))

    def write(self, areas: Sequence[AdministrativeArea], locations: Sequence[Location]) -> str:
        """Write what core lists, and return what was written. Raises Left, Unusable and DatabaseAway."""
        try:
            keep(self.store, areas, locations)
        except (DataError, IntegrityError) as error:
            raise Left(f"core's places: left, since the database refuses them: {said_by(error)}") from None
        return f"administrative_areas: {len(areas)} from core\nlocations: {len(locations)} from core"

    def _of_files(self) -> list[Callable[[], str]]:
        return [partial(self._of_file, table, path) for table, path in self._files()]

    def _of_file(self, table: str, path: Path) -> str:
        """Raises InvalidFile, Unusable and DatabaseAway."""
        if table in self.store.layout().lacking:
            return f"{table}: left, since the table cannot be made"
        return f"{table}: {replace_table(self.store, table, path)} from {path}"

    def _files(self) -> list[tuple[str, Path]]:
        if self.directory is None:
            return []
        paths = ((table, self.directory / "analytics" / f"{table}.csv") for table in COLUMNS)
        return [(table, path) for table, path in paths if path.exists()]

    def _has_source(self, chore: str) -> bool:
        if chore == CHORE_OF_FILES:
            return bool(self._files())
        return self.core is not None

    def _run(self, ours: Sequence[str]) -> None:
        for chore in ours:
            waits = [self._take(take) for take in ([self._of_core] if chore == CHORE else self._of_files())]
            if min(waits) < EVERY:
                self._try_again(chore, min(waits))

    def _take(self, take: Callable[[], str]) -> float:
        """Return the seconds until it is to be taken again."""
        try:
            log.info("analytics.places", said=take())
        except NoToken as error:
            log.debug("analytics.places_left", reason=str(error))
            return 0.0
        except (Left, Unusable, DatabaseAway) as error:
            log.error("analytics.places_left", reason=str(error))
            return SOON
        except Exception:
            log.exception("analytics.places_crashed")  # deliveries go on without
            return SOON
        return EVERY

    def _is_due(self, chore: str) -> bool:
        recent = chores.select().where(chores.c.name == chore, chores.c.done_at > now() - literal(EVERY, Double))
        with self.main.reading() as connection:
            return connection.execute(recent).first() is None

    def _is_ours(self, chore: str) -> bool:
        """Whether no other worker does it in this hour; then nobody else will."""
        done = self.main.insert(chores).values(name=chore, done_at=now())
        claimed = done.on_conflict_do_update(
            index_elements=[chores.c.name],
            set_={"done_at": now()},
            where=chores.c.done_at <= now() - literal(EVERY, Double),
        )
        with self.main.transaction() as connection:
            return connection.execute(claimed.returning(chores.c.name)).first() is not None

    def _try_again(self, chore: str, seconds: float) -> None:
        soon = chores.update().where(chores.c.name == chore)
        with suppress(DatabaseAway), self.main.transaction() as connection:  # then it is an hour
            connection.execute(soon.values(done_at=now() - literal(EVERY - seconds, Double)))


def _listed(answer: tuple[_Place, ...] | Refused | Unavailable) -> tuple[_Place, ...]:
    """Raises Left."""
    if isinstance(answer, Refused | Unavailable):
        raise Left(f"core's places: left, since core did not list them: {answer.reason}")
    return answer
