"""Every message is made once, with sample values, before anybody waits for one: a broken one stops the start."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields

from app.notifications.catalogue import ALERT
from app.notifications.errors import MessageError
from app.notifications.render import Renderer
from app.notifications.variables import variables_of
from app.triggers.catalogue import TriggerType
from app.triggers.samples import USER_SAMPLES


class BrokenMessages(MessageError):
    """Messages that could not be made; says of each what to mend."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Some messages cannot be made:\n" + "\n".join(f"  - {problem}" for problem in problems))


def rehearse(renderer: Renderer, kinds: Iterable[TriggerType], channels: Collection[str], language: str) -> None:
    """Make every message for the channels by which messages go. Raises BrokenMessages."""
    problems: list[str] = []
    if language not in renderer.languages:
        problems.append(f"DEFAULT_LANGUAGE is {language}, and translations/*.csv have {', '.join(renderer.languages)}")
    for kind in kinds:
        if kind.message is ALERT:
            continue
        variables = variables_of(kind.message.name, _sample(kind)) | {"minutes": "10"}
        if "email" in channels:
            problems += _problem(lambda kind=kind, given=variables: renderer.email(kind.message.name, given, language))
        if "sms" in channels and kind.message.sms_id is not None:
            problems += _problem(lambda kind=kind, given=variables: renderer.sms(kind.message.sms_id, given, language))
    if problems:
        raise BrokenMessages(list(dict.fromkeys(problems)))


def _problem(make: Any) -> list[str]:
    try:
        make()
    except MessageError as error:
        return [str(error)]
    return []


def _sample(kind: TriggerType) -> Mapping[str, Any]:
    """A payload in which every field has a value."""
    ours = USER_SAMPLES.get(kind.path.removeprefix("user/"))
    return ours if ours is not None else _filled(kind.schema)


def _filled(schema: Schema) -> dict[str, Any]:
    name = {"firstname": "Amina", "surname": "Mwale"}
    texts = {key: key for key, declared in schema.fields.items() if isinstance(declared, fields.String)}
    return {"recipient": {"name": name}, **texts}
