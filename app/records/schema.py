"""The event document, validated as core's own schemas do it (section 2 of the contract).

Where the contract is silent, what core's published source says is taken: any action type may have any of the three
statuses; the ids of duplicates and `duplicateOf` are UUIDs; the reason of REJECT_CORRECTION may not be empty. Where
both are silent, all is taken: `createdBySignature` is any text, the content of APPROVE_CORRECTION anything but null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields
from msgspec import Struct

from app.records import validation
from app.records.actions import Action
from app.records.formats import NOT_A_DATE_TIME, NOT_A_UUID, is_date_time, is_uuid
from app.records.validation import MOST_PROBLEMS

Problem = dict[str, Any]
"""`{"path": ["actions", 3, "createdAt"], "message": "..."}`; an empty path is the document itself."""


class InvalidDocument(Exception):
    """It is no event document. `problems` are in core's order: the first one is what core reports first.

    Of very many, only the first are in it.
    """

    def __init__(self, problems: list[Problem]) -> None:
        first, *others = problems
        where = ".".join(map(str, first["path"])) or "the document"
        super().__init__(f"{where}: {first['message']}" + (f" (and {len(others)} more)" if others else ""))
        self.problems = problems


class EventDocument(Struct, frozen=True):
    """A record with its history. `created_at` and `updated_at` are texts; the actions are in the order of arrival."""

    id: str
    type: str
    created_at: str
    updated_at: str
    tracking_id: str
    actions: tuple[Action, ...]


def event_document(payload: Any) -> EventDocument:
    """A parsed JSON value as an event document. Raises InvalidDocument, and nothing else, whatever the value is.

    The standard library's `json` reads the payload: unlike msgspec's decoder it takes lone surrogates, as core does.
    What core ignores is not kept; everything that is kept is the payload's own, not a copy.
    """
    envelope, problems = _envelope(payload)
    actions: list[Action] = []
    for position, value in enumerate(envelope.get("actions", ())):
        try:
            actions.append(validation.action(value))
        except validation.InvalidAction as error:
            problems += [{"path": ["actions", position, *path], "message": message} for path, message in error.failures]
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise InvalidDocument(problems[:MOST_PROBLEMS])
    return EventDocument(**{**envelope, "actions": tuple(actions)})


def _envelope(payload: Any) -> tuple[Mapping[str, Any], list[Problem]]:
    """What is valid of the envelope, with the actions as they came, and what is not."""
    try:
        return _ENVELOPE.load(payload), []
    except ValidationError as error:
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return valid, [
            {"path": [] if key == "_schema" else [key], "message": message}
            for key, messages in error.messages_dict.items()
            for message in messages
        ]


def _uuid(text: str) -> None:
    if not is_uuid(text):
        raise ValidationError(NOT_A_UUID)


def _date_time(text: str) -> None:
    if not is_date_time(text):
        raise ValidationError(NOT_A_DATE_TIME)


class _JsonArray(fields.Field[list[Any]]):
    """A list whose items are judged elsewhere."""

    default_error_messages = {"invalid": "Not an array"}  # noqa: RUF012  as marshmallow declares it

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return value


class _Envelope(Schema):
    """The order of the fields is the order in which problems are reported."""

    class Meta:
        unknown = EXCLUDE

    id = fields.String(required=True, validate=_uuid)
    type = fields.String(required=True)
    created_at = fields.String(required=True, validate=_date_time, data_key="createdAt")
    updated_at = fields.String(required=True, validate=_date_time, data_key="updatedAt")
    tracking_id = fields.String(required=True, data_key="trackingId")
    actions = _JsonArray(required=True)


_ENVELOPE = _Envelope()
