"""Many event documents at once: each is read, made into rows, and all are written in one transaction.

One that is no event document, or that cannot be written, is said and left out: it never fails the others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

import msgspec
import structlog

from app.analytics.collecting import without_collecting
from app.analytics.documents import document_of
from app.analytics.json_text import Unfit
from app.analytics.marking import Marking, Markings
from app.analytics.rows import EventRows, all_rows
from app.analytics.store import AnalyticsStore, Unwritten
from app.records.formats import is_uuid
from app.records.schema import EventDocument, InvalidDocument

log = structlog.get_logger()

UNMARKED = "its event type is not marked for analytics"
UNREADABLE = "it cannot be read as JSON: it is broken, nested too deeply, or has a number of too many digits"
NOT_SET_UP = "ANALYTICS_DATABASE_URL is not set"

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class Skipped:
    """An event that was not written: `id` is None where it has none, `place` is that in its batch, from 0.

    The reason quotes nothing of the record.
    """

    id: str | None
    reason: str
    is_alarming: bool = True
    place: int = 0


@dataclass(frozen=True)
class Report:
    """What became of a batch: received = written + skipped. `last` is the id of the last event that has rows now."""

    received: int
    written: int
    skipped: Sequence[Skipped] = field(default=())
    last: str | None = None

    def as_json(self) -> dict[str, Any]:
        skipped = [{"id": one.id, "reason": one.reason} for one in self.skipped]
        return {"received": self.received, "written": self.written, "skipped": skipped}

    def log(self) -> None:
        """One line of figures; where events were malformed or refused, it is an error."""
        alarming = Counter(one.reason for one in self.skipped if one.is_alarming)
        ids = [one.id for one in self.skipped if one.is_alarming][:10]
        say = log.error if alarming else log.info
        skipped = {"skipped": len(self.skipped), "reasons": dict(alarming.most_common(10)), "ids": ids}
        say("reindex.batch", received=self.received, written=self.written, **(skipped if self.skipped else {}))


@dataclass(frozen=True)
class Reindexing:
    """Without a store nothing is kept, and the report says so."""

    store: AnalyticsStore | None
    markings: Markings

    def write(self, items: Iterable[bytes]) -> Report:
        """`items` are JSON texts of event documents. Raises MarkingUnavailable, Unusable and DatabaseAway."""
        with without_collecting():
            return self._write(items)

    def _write(self, items: Iterable[bytes]) -> Report:
        marked: dict[str, Marking | None] = {}
        read = [self._read(item, marked) for item in items]
        made = {
            event_type: iter(all_rows([one for one in read if _is_of(one, event_type)], marking))
            for event_type, marking in marked.items()
            if marking is not None
        }
        outcomes = [one if isinstance(one, Skipped) else _or_skipped(one, next(made[one.type])) for one in read]
        unwritten = iter(self._store([outcome for outcome in outcomes if isinstance(outcome, EventRows)]))
        skipped, last = [], None
        for place, outcome in enumerate(outcomes):
            if isinstance(outcome, Skipped):
                skipped.append(replace(outcome, place=place))
            elif (why := next(unwritten)) is not None:
                skipped.append(Skipped(outcome.event_id, why.reason, why.is_alarming, place))
            elif outcome.rows:
                last = outcome.event_id
        return Report(len(outcomes), len(outcomes) - len(skipped), skipped, last)

    def _store(self, events: list[EventRows]) -> list[Unwritten | None]:
        """As the store's `write`; what cannot be made into rows is found, and left out of a second try."""
        if self.store is None or not events:
            return []
        try:
            return self.store.write(events)
        except Unfit:
            unfit = {id(event): reason for event in events if (reason := _unfit(event)) is not None}
            written = iter(self._store([event for event in events if id(event) not in unfit]))
            return [unfit[id(event)] if id(event) in unfit else next(written) for event in events]

    def _read(self, item: bytes, marked: dict[str, Marking | None]) -> EventDocument | Skipped:
        """A document that is marked; `marked` remembers what is, so that a batch is of one mind."""
        try:
            payload = _parsed(item)
        except (ValueError, RecursionError):
            return Skipped(_id_in(item), UNREADABLE)
        event_id = _uuid(payload.get("id")) if isinstance(payload, dict) else None
        if self.store is None:
            return Skipped(event_id, NOT_SET_UP, is_alarming=False)
        try:
            document = document_of(payload)
            if document.type not in marked:
                marked[document.type] = self.markings.of(document.type)
        except InvalidDocument as error:
            return Skipped(event_id, str(error))
        return document if marked[document.type] is not None else Skipped(event_id, UNMARKED, is_alarming=False)


def _is_of(one: EventDocument | Skipped, event_type: str) -> TypeGuard[EventDocument]:
    return isinstance(one, EventDocument) and one.type == event_type


def _or_skipped(document: EventDocument, rows: EventRows | Unfit) -> EventRows | Skipped:
    return Skipped(document.id.lower(), str(rows)) if isinstance(rows, Unfit) else rows


def _unfit(event: EventRows) -> Unwritten | None:
    try:
        event.rows  # noqa: B018
    except Unfit as error:
        return Unwritten(str(error))
    return None


class _Identified(msgspec.Struct):
    id: str


_identified = msgspec.json.Decoder(_Identified).decode


def _id_in(item: bytes) -> str | None:
    """As far as it can be read without the rest."""
    try:
        return _uuid(_identified(item).id)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _uuid(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) and is_uuid(value) else None


def _parsed(item: bytes) -> Any:
    """msgspec, which is twice as fast, where it can; it refuses lone surrogates, which core allows."""
    try:
        return _decode(item)
    except msgspec.DecodeError:
        return json.loads(item)
