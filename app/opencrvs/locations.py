"""Core's lists of places: the locations (offices, health facilities) and the administrative areas they lie in.

Both shapes are read: core 2.0 says until when a place is valid, core 2.1 has its status and its versions in that
field's place (sections 5 and 8 of the contract).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from app.cleaning import clean
from app.opencrvs import trpc
from app.opencrvs.trpc import Refused, Unavailable

__all__ = ["AdministrativeArea", "CoreLocations", "Location", "Refused", "Unavailable", "place_id"]

log = structlog.get_logger()

_LONGEST_ID = 100  # characters; it has to fit into an index, and a UUID has 36


@dataclass(frozen=True)
class PlaceVersion:
    """What a place is called from a date on (YYYY-MM-DD)."""

    effective_from: str
    name: str
    external_id: str | None


@dataclass(frozen=True)
class Location:
    """An office or a facility. `external_id` is the country's own code, `versions` are by date, the oldest first.

    One that is closed is not active; core goes on listing it.
    """

    id: str
    name: str
    external_id: str | None
    administrative_area_id: str | None
    location_type: str | None
    is_active: bool = True
    versions: tuple[PlaceVersion, ...] = ()


@dataclass(frozen=True)
class AdministrativeArea:
    """A province, a district; without a parent at the top. The rest as in Location."""

    id: str
    name: str
    external_id: str | None
    parent_id: str | None
    is_active: bool = True


_Place = TypeVar("_Place", Location, AdministrativeArea)


def place_id(given: str) -> str:
    """A place's id in the one form in which ids are compared: core's schemas allow UUIDs in any letter case."""
    return clean(given).lower()


class CoreLocations:
    """Core's lists, behind its gateway. Safe for threads.

    Text is clean. A row that is not what core promises is left out, and the log says how many were.
    """

    def __init__(self, gateway_url: str, *, timeout: tuple[float, float] = (3.0, 10.0)) -> None:
        """`timeout` is in seconds: to connect; for each part of the answer, and for its body as a whole."""
        self._url = f"{gateway_url.rstrip('/')}/events"
        self._timeout = timeout

    def locations(self, token: str) -> tuple[Location, ...] | Refused | Unavailable:
        """All of them, those that are no longer valid too. Raises nothing."""
        return self._list("locations.list", _location, token)

    def administrative_areas(self, token: str) -> tuple[AdministrativeArea, ...] | Refused | Unavailable:
        """As `locations`."""
        return self._list("administrativeAreas.list", _administrative_area, token)

    def _list(
        self, procedure: str, read: Callable[[Any], _Place], token: str
    ) -> tuple[_Place, ...] | Refused | Unavailable:
        outcome = trpc.query(self._url, procedure, token, self._timeout)
        if not isinstance(outcome, trpc.Result):
            return outcome
        if not isinstance(outcome.json, list):
            return Unavailable(f"core answered {procedure} with no list", destination_down=False)
        places = []
        for row in outcome.json:
            try:
                places.append(read(row))
            except _Malformed:
                continue
        if len(places) < len(outcome.json):
            log.warning("locations.malformed", procedure=procedure, left_out=len(outcome.json) - len(places))
        return tuple(places)


class _Malformed(Exception):
    """The row is not what core promises."""


def _location(row: Any) -> Location:
    row = _object(row)
    return Location(
        id=_id(row.get("id")),
        name=_text(row.get("name")),
        external_id=_text_or_none(row.get("externalId")),
        administrative_area_id=_id_or_none(row.get("administrativeAreaId")),
        location_type=_text_or_none(row.get("locationType")),
        is_active=_is_active(row),
        versions=_versions(row.get("versions")),
    )


def _administrative_area(row: Any) -> AdministrativeArea:
    row = _object(row)
    return AdministrativeArea(
        id=_id(row.get("id")),
        name=_text(row.get("name")),
        external_id=_text_or_none(row.get("externalId")),
        parent_id=_id_or_none(row.get("parentId")),
        is_active=_is_active(row),
    )


def _is_active(row: Mapping[str, Any]) -> bool:
    """By its status, and where it has none, by the moment until which it is valid."""
    status = row.get("status")
    if status is not None:
        return _text(status) != "inactive"
    until = _text_or_none(row.get("validUntil"))
    if until is None:
        return True
    try:
        end = datetime.fromisoformat(until)
    except ValueError:
        return True
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) > datetime.now(UTC)


def _versions(value: Any) -> tuple[PlaceVersion, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _Malformed
    versions = [
        PlaceVersion(
            _text(version.get("effectiveFrom"))[:10],
            _text(version.get("name")),
            _text_or_none(version.get("externalId")),
        )
        for version in map(_object, value)
    ]
    return tuple(sorted(versions, key=lambda version: version.effective_from))


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Malformed
    return value


def _id(value: Any) -> str:
    text = place_id(_text(value))
    if not 0 < len(text) <= _LONGEST_ID:
        raise _Malformed
    return text


def _id_or_none(value: Any) -> str | None:
    return None if value is None else _id(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Malformed
    return clean(value)


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)
