"""What triggers there are, and what a country's own may not touch."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import fields

from app.country import Country, CountryTrigger, InvalidRules
from app.notifications.catalogue import ALERT, USER_MESSAGES
from app.triggers.catalogue import trigger_types

FIELDS: dict[str, fields.Field[Any]] = {"ward": fields.String()}


def country_with(*messages: str) -> Country:
    paths = [f"hospital/code-{number}" for number in range(len(messages))]
    declared = [CountryTrigger(path, FIELDS, message) for path, message in zip(paths, messages, strict=True)]
    return Country(triggers={one.path: one for one in declared})


@pytest.mark.parametrize("name", [*USER_MESSAGES, ALERT.name])
def test_a_country_cannot_take_the_name_of_one_of_cores_messages(name: str) -> None:
    with pytest.raises(InvalidRules, match="hospital/code-0") as raised:
        trigger_types(country_with(name))
    assert repr(name) in str(raised.value)


def test_several_triggers_of_a_country_may_send_the_same_message() -> None:
    kinds = trigger_types(country_with("ward-code", "ward-code", "other-code"))
    assert kinds["hospital/code-0"].message == kinds["hospital/code-1"].message
    assert kinds["user/2fa"].message is USER_MESSAGES["2fa"]
