"""What clients send, as marshmallow schemas; problems are told at their paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validates, validates_schema
from marshmallow.validate import Length, OneOf, Range

from app.webhooks.formats import FORMATS
from app.webhooks.json_logic import InvalidLogic, compile_logic
from app.webhooks.subscription import ALL, MINIMAL

_PATTERN = re.compile(r"[A-Za-z0-9_.*-]{1,200}")
_ATTRIBUTE = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110 section 5.6.2
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")
_OURS = re.compile(
    r"(webhook-.*|content-.*|host|connection|transfer-encoding|upgrade|te|trailer|expect|accept-encoding|cookie"
    r"|proxy-.*)",
    re.IGNORECASE,
)
_MOST = 100
_LONGEST_TEXT = 2_000


class Form(Schema):
    """Unknown keys are refused, so that a misspelt one is noticed."""

    class Meta:
        unknown = RAISE


class Attributes(fields.Field[str | tuple[str, ...]]):
    """ "minimal", "all", or a list of names."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | tuple[str, ...]:
        if value in (MINIMAL, ALL):
            return str(value)
        if isinstance(value, list) and len(value) <= _MOST and all(isinstance(one, str) for one in value):
            for position, name in enumerate(value):
                if not _ATTRIBUTE.fullmatch(name):
                    raise ValidationError({position: ["Not the name of an attribute."]})
            return tuple(value)
        raise ValidationError(f'"{MINIMAL}", "{ALL}", or a list of at most {_MOST} names of attributes.')


_ATTRIBUTES_SCHEMA: Mapping[str, Any] = {
    "oneOf": [
        {"type": "string", "enum": [MINIMAL, ALL]},
        {"type": "array", "items": {"type": "string"}, "maxItems": _MOST},
    ]
}


def _url(*, required: bool) -> fields.String:
    return fields.String(
        required=required,
        validate=Length(1, _LONGEST_TEXT),
        metadata={"format": "uri", "example": "https://pension.example/hooks"},
    )


def _event_types(*, required: bool) -> fields.List[str]:
    return fields.List(
        fields.String(),
        required=required,
        validate=Length(1, _MOST),
        metadata={
            "description": "Names, patterns in which * stands for anything, or a category",
            "example": ["events.death.register.accepted"],
        },
    )


class _Wished(Form):
    """What can be wished of a subscription, with the problems that can be found without asking anybody."""

    mode = fields.String(
        load_default="notify",
        metadata={"enum": ["notify"], "description": "Only notify: events are told after they happened"},
    )
    format = fields.String(validate=OneOf(FORMATS), metadata={"description": "How it is signed"})
    filter = fields.Raw(
        allow_none=True, metadata={"description": "JSON Logic over the event with all attributes; null takes it away"}
    )
    description = fields.String(validate=Length(max=500))
    active = fields.Boolean(truthy={True}, falsy={False}, metadata={"description": "Whether it is told anything"})
    headers = fields.Dict(
        keys=fields.String(), values=fields.String(), metadata={"description": "Sent along with each event"}
    )
    rateLimit = fields.Integer(  # noqa: N815
        strict=True,
        allow_none=True,
        validate=Range(1, 1_000),
        metadata={"description": "How many a second at most"},
    )
    attributes = Attributes(
        metadata={**_ATTRIBUTES_SCHEMA, "description": "How much is told: minimal (ids), all, or names of attributes"}
    )

    @validates("mode")
    def _mode(self, value: str, **_: Any) -> None:
        if value == "enrich":
            raise ValidationError("Only notify is offered: enrich would have core wait for the answer.")
        if value != "notify":
            raise ValidationError("Must be notify.")

    @validates("eventTypes")
    def _patterns(self, value: list[str], **_: Any) -> None:
        wrong = {
            position: ["Letters, digits, and . _ - * only."]
            for position, pattern in enumerate(value)
            if not _PATTERN.fullmatch(pattern)
        }
        if wrong:
            raise ValidationError(wrong)

    @validates("filter")
    def _filter(self, value: Any, **_: Any) -> None:
        if value is None:
            return
        try:
            compile_logic(value)
        except InvalidLogic as error:
            raise ValidationError(_nested(error.path, str(error))) from None

    @validates("headers")
    def _headers(self, value: Mapping[str, str], **_: Any) -> None:
        if len(value) > 20:
            raise ValidationError("At most 20 headers.")
        for name, content in value.items():
            if not _HEADER_NAME.fullmatch(name):
                raise ValidationError("A header's name has letters, digits and - only.")
            if _OURS.fullmatch(name):
                raise ValidationError({name: ["This header is set by the sender."]})
            if len(content) > _LONGEST_TEXT or not _HEADER_VALUE.fullmatch(content):
                raise ValidationError({name: [f"At most {_LONGEST_TEXT} printable ASCII characters."]})

    @post_load
    def _without_mode(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: value for name, value in data.items() if name != "mode"}


class NewSubscription(_Wished):
    """POST /webhooks/subscriptions."""

    url = _url(required=True)
    eventTypes = _event_types(required=True)  # noqa: N815  as the API has it
    secret = fields.String(metadata={"description": "Made, and told once, where none is given"})


class SubscriptionChange(_Wished):
    """PATCH /webhooks/subscriptions/{id}: what is left out stays as it is."""

    url = _url(required=False)
    eventTypes = _event_types(required=False)  # noqa: N815
    secret = fields.String(metadata={"description": "Takes the place of all others at once; see also rotate-secret"})


class TestRequest(Form):
    """POST /webhooks/subscriptions/{id}/test."""

    eventType = fields.String(metadata={"description": "One of those that it is told of"})  # noqa: N815


class Rotation(Form):
    """POST /webhooks/subscriptions/{id}/rotate-secret."""

    secret = fields.String(metadata={"description": "Made where none is given"})


class Replay(Form):
    """POST /webhooks/subscriptions/{id}/replay."""

    since = fields.AwareDateTime(format="iso", required=True)
    until = fields.AwareDateTime(format="iso")
    onlyFailed = fields.Boolean(load_default=False, truthy={True}, falsy={False})  # noqa: N815

    @validates_schema
    def _order(self, data: Mapping[str, Any], **_: Any) -> None:
        if "until" in data and data["until"] <= data["since"]:
            raise ValidationError({"until": ["Must be later than since."]})


def _nested(path: list[str | int], message: str) -> Any:
    """A problem at a path, as marshmallow has it."""
    problem: Any = [message]
    for step in reversed(path):
        problem = {step: problem}
    return problem
