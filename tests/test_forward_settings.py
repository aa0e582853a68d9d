"""FORWARD_ACTIONS_TO and FORWARD_SECRET, as they are read at the start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from standardwebhooks import Webhook

from app.environment.receivers import Receiver, Receivers
from app.settings import InvalidSettings, Settings


def receivers(text: str) -> tuple[Receiver, ...]:
    return Receivers().deserialize(text)


def name(url: str) -> str:
    (receiver,) = receivers(url)
    return receiver.name


def problem_of(**environ: str) -> str:
    with pytest.raises(InvalidSettings) as raised:
        Settings.from_env({"APP_ENV": "test"} | environ)
    (problem,) = raised.value.problems
    return problem


def test_urls_keep_their_order_and_count_once(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(FORWARD_ACTIONS_TO=" https://b.test/hook ,http://a:3000,, https://b.test/hook")
    assert [one.url for one in settings.forward_actions_to] == ["https://b.test/hook", "http://a:3000/"]
    assert make_settings().forward_actions_to == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8080/x",
        "http://192.168.7.7/x",
        "http://process_manager:3000",
        "https://[::1]:8443/x?y=%2C",
    ],
)
def test_private_networks_and_http_are_the_operators_to_name(url: str) -> None:
    assert len(receivers(url)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        "process-manager:3000/swordfish",
        "ftp://a.test/swordfish",
        "http:///swordfish",
        "https://a.test:99999/swordfish",
        "https://a.test/swordfish#part",
        "https://a.test/sword fish",
        "https://user:swordfish@",
        "https://user:sword/fish@a.test/",
        "http://0x7f.1/swordfish",
    ],
)
def test_a_url_that_cannot_be_used_is_named_by_its_place_and_not_shown(bad: str) -> None:
    said = problem_of(FORWARD_ACTIONS_TO=f"https://good.test/hunter2,{bad}")
    assert said.startswith("FORWARD_ACTIONS_TO: URL 2 of the list cannot be used. The URL")
    assert not any(secret in said for secret in ("sword", "hunter2"))


def test_a_name_stays_when_what_is_secret_changes() -> None:
    names = {name(f"https://{user}a.test/hook{query}") for user in ("", "u:one@", "u:two@") for query in ("", "?key=1")}
    assert len(names) == 1
    assert name("https://a.test/hook") == name("HTTPS://A.test:443/hook")


def test_names_differ_where_urls_do() -> None:
    urls = ["https://a.test/1", "https://a.test/2", "http://a.test/1", "https://a.test:8443/1", "https://b.test/1"]
    urls += ["https://a.test/1?to=x", "https://a.test/1?to=y"]
    assert len({one.name for one in receivers(",".join(urls))}) == len(urls)


def test_a_name_shows_the_host_and_is_of_bounded_length() -> None:
    assert name("https://u:hunter2@pension.test/hook").startswith("pension.test-")
    long = ".".join(["x" * 60] * 4)
    assert len(name(f"https://{long}/{'y' * 1_000}")) < 100


@given(st.text(st.sampled_from("htps:/@.,?#%abc012[]\u00e9 "), max_size=40) | st.text(max_size=40))
def test_any_text_is_a_list_of_receivers_or_refused(text: str) -> None:
    try:
        found = receivers(f"https://{text}")
    except ValidationError:
        return
    assert all(len(one.name) < 100 and one.name.isprintable() for one in found)


def test_a_secret_is_one_that_verifiers_take(make_settings: Callable[..., Settings]) -> None:
    secret = "whsec_" + "c2VjcmV0" * 4
    assert make_settings(FORWARD_SECRET=secret).forward_secrets == (secret,)
    Webhook(secret)


@pytest.mark.parametrize("bad", ["swordfish", "whsec_", "whsec_c2VjcmV0", "whsec_" + "c2VjcmV0" * 20, "é" * 40])
def test_a_secret_that_is_none_is_refused_and_not_shown(bad: str) -> None:
    said = problem_of(FORWARD_SECRET=bad)
    assert said.startswith("FORWARD_SECRET: not whsec_ and 24 to 64 bytes in base64. Make one with: ")
    assert bad == "whsec_" or bad not in said


def test_no_url_and_no_secret_is_in_what_settings_print(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(
        FORWARD_ACTIONS_TO="https://u:hunter2@a.test/swordfish?key=opensesame", FORWARD_SECRET="whsec_" + "c2VjcmV0" * 4
    )
    assert not any(secret in repr(settings) for secret in ("hunter2", "swordfish", "opensesame", "c2VjcmV0"))
