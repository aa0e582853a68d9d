"""The settings of integrations, and of this server's own client at core."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.environment import reading
from app.settings import Credentials, InvalidSettings, Settings

CLIENT_ID = "5b2f0c1e-7a52-4d0e-9d6e-0d2a5ab1c001"
SECRET = "s3cret-of-this-server"

Make = Callable[..., Settings]


def listed(*credentials: Any) -> str:
    return json.dumps(
        [{"name": f"n{number}", "scopes": ["a"], "credentials": one} for number, one in enumerate(credentials)]
    )


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "5",
        '["a"]',
        '[{"name": "a"}]',
        '[{"name": "a", "scopes": "record.read"}]',
        '[{"name": " ", "scopes": []}]',
        '[{"name": null, "scopes": []}]',
        '[{"name": "a", "scopes": [5]}]',
        '[{"name":"a","scopes":[]},{"name":"a","scopes":[]}]',
        "[" * 100_000,
    ],
)
def test_a_wrong_list_of_integrations_stops_the_start(make_settings: Make, value: str) -> None:
    with pytest.raises(InvalidSettings, match="INTEGRATIONS"):
        make_settings(INTEGRATIONS=value)


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ({"clientId": CLIENT_ID}, "credentials of n0 need both"),
        ({"clientSecret": SECRET}, "credentials of n0 need both"),
        ({"clientId": CLIENT_ID, "clientSecret": " "}, "credentials of n0 need both"),
        ({"clientId": CLIENT_ID, "clientSecret": 5}, "credentials of n0 need both"),
        ({}, "credentials of n0 need both"),
        ("both", "credentials of n0 need both"),
        ({"clientId": "health", "clientSecret": SECRET}, "clientId of n0 is not a UUID"),
    ],
)
def test_wrong_credentials_stop_the_start_and_are_not_quoted(make_settings: Make, credentials: Any, said: str) -> None:
    with pytest.raises(InvalidSettings, match=said) as raised:
        make_settings(INTEGRATIONS=listed(credentials))
    assert SECRET not in str(raised.value)


def test_credentials_are_optional_for_each(make_settings: Make) -> None:
    settings = make_settings(INTEGRATIONS=listed({"clientId": CLIENT_ID.upper(), "clientSecret": SECRET}, None))
    first, second = settings.integrations
    assert first.credentials == Credentials(CLIENT_ID, SECRET)
    assert second.credentials is None
    assert settings.system_client is None
    assert SECRET not in repr(settings)


def test_the_own_client_has_both_halves(make_settings: Make) -> None:
    settings = make_settings(SYSTEM_CLIENT_ID=CLIENT_ID, SYSTEM_CLIENT_SECRET=SECRET)
    assert settings.system_client == Credentials(CLIENT_ID, SECRET)
    assert settings.system_client_name == "country-config"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SYSTEM_CLIENT_ID": CLIENT_ID}, "SYSTEM_CLIENT_SECRET: missing"),
        ({"SYSTEM_CLIENT_SECRET": SECRET}, "SYSTEM_CLIENT_ID: missing"),
        ({"SYSTEM_CLIENT_ID": "mine", "SYSTEM_CLIENT_SECRET": SECRET}, "SYSTEM_CLIENT_ID: not a UUID"),
    ],
)
def test_half_of_the_own_client_or_another_id_stops_the_start(
    make_settings: Make, environ: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidSettings, match=said) as raised:
        make_settings(**environ)
    assert SECRET not in str(raised.value)


def test_what_core_would_take_for_one_client_stops_the_start(make_settings: Make) -> None:
    own = {"SYSTEM_CLIENT_ID": CLIENT_ID, "SYSTEM_CLIENT_SECRET": SECRET}
    credentials = {"clientId": CLIENT_ID.upper(), "clientSecret": SECRET}
    with pytest.raises(InvalidSettings, match="clientId twice"):
        make_settings(INTEGRATIONS=listed(credentials), **own)
    with pytest.raises(InvalidSettings, match="clientId twice"):
        make_settings(INTEGRATIONS=listed(credentials, credentials))
    with pytest.raises(InvalidSettings, match="SYSTEM_CLIENT_NAME"):
        make_settings(INTEGRATIONS=listed(None), SYSTEM_CLIENT_NAME="n0", **own)


@given(st.one_of(st.uuids(version=4), st.uuids(version=1), st.uuids(version=5)), st.booleans())
def test_every_uuid_with_dashes_is_a_client_id(client_id: uuid.UUID, capitals: bool) -> None:
    written = str(client_id).upper() if capitals else str(client_id)
    values = reading.read({"SYSTEM_CLIENT_ID": written, "SYSTEM_CLIENT_SECRET": SECRET})
    assert values["SYSTEM_CLIENT_ID"] == str(client_id)


@pytest.mark.parametrize("form", ["{}", "urn:uuid:{}", "{{{}}}"])
@given(client_id=st.uuids(version=4))
def test_other_forms_of_a_uuid_are_none(form: str, client_id: uuid.UUID) -> None:
    written = form.format(client_id.hex if form == "{}" else client_id)
    with pytest.raises(InvalidSettings, match="not a UUID"):
        reading.read({"SYSTEM_CLIENT_ID": written, "SYSTEM_CLIENT_SECRET": SECRET})
