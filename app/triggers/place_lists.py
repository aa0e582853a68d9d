"""Core's lists of places, fetched with a token that a call of core's brought: offices have names from the first minute.

The token of system/ready lives for a minute and that of a reindex for ten, so that the worker uses them at once: each
is kept as a trigger of its own, encrypted, and erased when the lists were fetched or the token has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from app.analytics.locations import Places
from app.analytics.places import Left
from app.analytics.tables import Unusable
from app.database.engine import Database, DatabaseAway
from app.database.inserts import Inserts
from app.encryption import Cipher
from app.opencrvs.locations import CoreLocations, Refused, Unavailable
from app.opencrvs.offices import Offices
from app.outbox import intake
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent, Trigger
from app.outbox.states import Priority

log = structlog.get_logger()

CHANNEL = "place-lists"
PATH = "system/place-lists"
_ASKED_EVERY = 60.0  # seconds, for each process
_EMPTY = 10.0  # seconds until core is asked again that lists no place yet


class PlaceListRequests:
    """Asks the worker to fetch the lists, where they are old. Safe for threads."""

    def __init__(
        self, database: Database, cipher: Cipher, offices: Offices, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cipher = cipher
        self._offices = offices
        self._inserts = Inserts(database, [intake.INSERT_TRIGGER, intake.INSERT_PLAN], intake.IS_KEPT)
        self._clock = clock
        self._lock = threading.Lock()
        self._asked_at = float("-inf")

    def request(self, token: str, claims: Mapping[str, Any], request_id: str) -> None:
        """Have the lists fetched with this verified token. Raises nothing: core's call goes on without."""
        with self._lock:
            if self._clock() - self._asked_at < _ASKED_EVERY:
                return
            self._asked_at = self._clock()
        try:
            if not self._offices.is_fresh():
                self._inserts.write(
                    intake.values(
                        path=PATH,
                        request_id=request_id,
                        payload=self._cipher.encrypt({"expiresAt": float(claims["exp"])}),
                        secrets=self._cipher.encrypt({"token": token}),
                    )
                )
        except DatabaseAway as error:
            log.warning("locations.not_requested", reason=str(error))


def place_list_delivery(trigger: Trigger) -> NewDelivery:
    """Return what such a trigger leads to: to fetch the lists before its token ends."""
    return NewDelivery(
        key=CHANNEL,
        channel=CHANNEL,
        destination="core",
        priority=Priority.TRANSACTIONAL,
        expires_at=trigger.payload["expiresAt"],
    )


@dataclass(frozen=True)
class PlaceLists:
    """The handler of the `place-lists` channel. `places` is None where there are no tables for statistics."""

    core: CoreLocations | None
    offices: Offices
    places: Places | None

    def fetch(self, delivery: Delivery) -> Outcome:
        """Fetch both lists, and keep them for messages, rules and statistics."""
        if self.core is None:
            return Dropped("GATEWAY_URL is not set")
        token = str(delivery.trigger.payload["token"])
        areas = self.core.administrative_areas(token)
        if isinstance(areas, Refused | Unavailable):
            return _not_listed(areas)
        locations = self.core.locations(token)
        if isinstance(locations, Refused | Unavailable):
            return _not_listed(locations)
        if not locations:
            return Retry("core lists no places yet", after=_EMPTY)
        self.offices.keep(locations)
        if self.places is None:
            return Sent(f"{len(locations)} locations")
        try:
            return Sent(self.places.write(areas, locations))
        except Left as error:
            return Failed(str(error))
        except Unusable as error:
            return Retry(str(error))


def _not_listed(outcome: Refused | Unavailable) -> Outcome:
    if isinstance(outcome, Unavailable):
        return Retry(outcome.reason, outcome.destination_down, outcome.after)
    return Dropped(f"core does not list its places for this token: {outcome.reason}")
