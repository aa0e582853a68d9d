"""What `POST /email` may send: from the registry, to its operators, and never half of what is bad."""

from __future__ import annotations

import timeit
from collections.abc import Iterator
from dataclasses import replace
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.encryption import Cipher
from app.http.errors import Refused
from app.notifications.email.plain_text import plain_text
from app.triggers.infrastructure_alerts import MAX_HTML, MAX_TAGS, MAX_WORDS_IN_A_TAG, AlertRules
from tests.triggers.answers import ALERT, details_of, error_of, last_kept, rows_kept
from tests.triggers.serving import Served, served

RULES = AlertRules(
    sender="Registry <no-reply@mail.registry.test>",
    domain="registry.test",
    recipient="Operators <operators@ministry.test>",
    recipient_domains=("operations.test", "xn--tat-9la.test"),
)


@pytest.fixture(scope="module")
def alerting(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Served]:
    with served(
        tmp_path_factory.mktemp("server"),
        migrated_sqlite,
        DOMAIN="registry.test",
        SENDER_EMAIL_ADDRESS="Registry <no-reply@registry.test>",
        ALERT_EMAIL="operators@ministry.test",
        ALERT_RECIPIENT_DOMAINS="operations.test, Other.Test",
    ) as server:
        yield server


def alert(**changes: str) -> dict[str, Any]:
    return {**ALERT, "to": "operators@ministry.test", **changes}


def refusal(payload: dict[str, Any], rules: AlertRules = RULES) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        rules.check(payload)
    (detail,) = refused.value.details
    (field,) = detail["path"]
    return refused.value.status, field


@pytest.mark.parametrize(
    "sender",
    [
        "Registry <no-reply@mail.registry.test>",
        "no-reply@mail.registry.test",
        "NO-REPLY@MAIL.REGISTRY.TEST",
        "alerts@registry.test",
        "Monitoring <alerts@Registry.Test>",
        "alerts@monitoring.registry.test",
    ],
)
def test_the_registrys_own_addresses_may_send(sender: str) -> None:
    payload = alert(**{"from": sender})
    assert RULES.check(payload) == payload


@pytest.mark.parametrize(
    "sender",
    [
        "minister@government.test",
        "a@registry.test.evil.test",
        "a@evilregistry.test",
        "a@test",
        "Registry <operators@ministry.test>",
    ],
)
def test_nobody_else_is_a_sender(sender: str) -> None:
    assert refusal(alert(**{"from": sender})) == (403, "from")


@pytest.mark.parametrize(
    ("recipients", "kept"),
    [
        ("operators@ministry.test", "operators@ministry.test"),
        ("Operators <OPERATORS@ministry.test>", "OPERATORS@ministry.test"),
        ("a@operations.test", "a@operations.test"),
        ("a@night.operations.test", "a@night.operations.test"),
        ("a@Operations.Test", "a@Operations.Test"),
        ("a@état.test", "a@état.test"),
        (
            "A <a@operations.test>,operators@ministry.test , b@operations.test",
            "a@operations.test, operators@ministry.test, b@operations.test",
        ),
    ],
)
def test_operators_may_receive_and_their_bare_addresses_are_kept(recipients: str, kept: str) -> None:
    assert RULES.check(alert(to=recipients))["to"] == kept


@pytest.mark.parametrize(
    "recipients",
    [
        "citizen@elsewhere.test",
        "other@ministry.test",
        "a@registry.test",
        "a@operations.test.evil.test",
        "a@notoperations.test",
        "a@operations.test, citizen@elsewhere.test",
        "citizen@elsewhere.test, a@operations.test",
        "a@operations.test <citizen@elsewhere.test>",
    ],
)
def test_nobody_else_receives(recipients: str) -> None:
    assert refusal(alert(to=recipients)) == (403, "to")


MALFORMED = [
    "nobody",
    "a@operations.test\r\nBcc: b@elsewhere.test",
    "a@operations.test\n",
    "a@operations.test\r",
    "A\r\n <a@operations.test>",
    "A\0 <a@operations.test>",
    "a\x7f@operations.test",
    "a@operations.test\u2028",
    "a@operations.test;b@operations.test",
    "<a@operations.test> <b@operations.test>",
    "b@elsewhere.test (c <a@operations.test>, d",
    "@operations.test",
    f"{'x' * 3_000}@operations.test",
]


@pytest.mark.parametrize("address", MALFORMED, ids=lambda address: ascii(address)[:40])
def test_what_is_malformed_is_answered_400(address: str) -> None:
    assert refusal(alert(to=address)) == (400, "to")
    from_registry = address.replace("operations.test", "registry.test")
    assert refusal(alert(**{"from": from_registry})) == (400, "from")


@pytest.mark.parametrize("recipients", ["", " ", "a@operations.test,", ",", "a@operations.test,,b@operations.test"])
def test_a_missing_recipient_is_answered_400(recipients: str) -> None:
    assert refusal(alert(to=recipients)) == (400, "to")


@pytest.mark.parametrize(
    "sender",
    [
        "a@registry.test, b@registry.test",
        "b@elsewhere.test (c <a@registry.test>",
        "b@elsewhere.test <a@registry.test>",
        "a@registry.test <b@elsewhere.test>",
        "",
    ],
)
def test_a_sender_that_can_be_read_in_two_ways_is_malformed(sender: str) -> None:
    assert refusal(alert(**{"from": sender})) == (400, "from")


def test_without_an_alert_email_an_empty_recipient_says_to_set_it() -> None:
    rules = replace(RULES, recipient="", recipient_domains=())
    with pytest.raises(Refused) as refused:
        rules.check(alert(to=""))
    assert "set ALERT_EMAIL" in refused.value.details[0]["message"]
    assert refusal(alert(to="a@operations.test"), rules) == (403, "to")


def test_the_html_has_a_hundred_kilobytes_at_most() -> None:
    assert RULES.check(alert(html="é" * (MAX_HTML // 2)))["html"]
    assert refusal(alert(html="é" * (MAX_HTML // 2) + "x")) == (413, "html")
    assert refusal(alert(subject="s" * 501)) == (400, "subject")


pieces = st.sampled_from(
    ["a@operations.test", "a@registry.test", "b@elsewhere.test", *'<>,;:()"\\ ', "\r\n", "\0", "Name", "@", "\ud800"]
)
addresses = st.lists(pieces, max_size=6).map("".join)


@given(addresses, addresses)
@settings(max_examples=1_000)
def test_what_is_taken_never_goes_to_anybody_else_nor_from_anybody_else(sender: str, recipients: str) -> None:
    for field, value, domain in (("from", sender, "registry.test"), ("to", recipients, "operations.test")):
        try:
            kept = RULES.check(alert(**{field: value}))
        except Refused:
            continue
        assert {address.partition("@")[2] for _, address in getaddresses([kept[field]])} == {domain}
        assert not {"\r", "\n", "\0"} & set(kept[field])


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"from": "minister@government.test"}, 403, "SENDER_EMAIL_ADDRESS"),
        ({"to": "citizen@elsewhere.test"}, 403, "ALERT_RECIPIENT_DOMAINS"),
        ({"to": "a@operations.test\r\nBcc: b@elsewhere.test"}, 400, "name@domain"),
        ({"html": "x" * (MAX_HTML + 1)}, 413, "100 kB"),
        ({"html": "x" * 1_100_000}, 413, "1 MB"),
        ({"subject": "s" * 501}, 400, "500"),
        ({"html": "{{DOMAIN}}" * 9_000}, 413, "100 kB"),
    ],
    ids=str,
)
def test_what_is_bad_is_refused_with_the_setting_and_nothing_is_kept(
    alerting: Served, changes: dict[str, str], status: int, says: str
) -> None:
    before = rows_kept(alerting.database)
    answer = alerting.client.post("/email", json=alert(**changes))
    assert answer.status_code == status
    assert says in details_of(answer)[0]["message"]
    assert rows_kept(alerting.database) == before


def test_the_variables_are_filled_in_before_anything_is_judged(alerting: Served) -> None:
    body = alert(**{"from": "{{SENDER_EMAIL_ADDRESS}}", "to": "{{ALERT_EMAIL}}, b@other.test"})
    assert alerting.client.post("/email", json=body).status_code == 200
    _, payload = last_kept(alerting.database, Cipher(alerting.settings.secret_keys))
    assert payload["from"] == "Registry <no-reply@registry.test>"
    assert payload["to"] == "operators@ministry.test, b@other.test"


@pytest.mark.parametrize("trigger", ["2fa", "all-user-notification", "user-created", "change-phone-number"])
def test_a_token_is_refused(alerting: Served, trigger: str) -> None:
    answer = alerting.client.post("/email", json=alert(), headers=alerting.as_core(trigger))
    assert (answer.status_code, error_of(answer)) == (403, "Forbidden")
    assert "without one" in details_of(answer)[0]["message"]


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<p>" * (MAX_TAGS + 1), id="many tags"),
        pytest.param(f"<p {' '.join(f'a{number}=1' for number in range(MAX_WORDS_IN_A_TAG))}>x</p>", id="attributes"),
        pytest.param(f"<p {'a ' * MAX_WORDS_IN_A_TAG}>x</p>", id="attributes without values"),
        pytest.param("<p " + "a/" * (MAX_WORDS_IN_A_TAG + 1), id="slashes"),
        pytest.param("<p " + "a='1'" * (MAX_WORDS_IN_A_TAG + 1), id="values in a row"),
        pytest.param("<p " + "\t\na" * (MAX_WORDS_IN_A_TAG + 1), id="an open tag"),
    ],
)
def test_html_that_takes_long_to_read_is_refused(html: str) -> None:
    assert refusal(alert(html=html)) == (400, "html")


def test_what_is_taken_is_read_in_a_time_that_grows_with_its_length() -> None:
    """As a ratio: four times as much may take four times as long, and a square would take sixteen times."""

    def seconds(words: int) -> float:
        attributes = " ".join(f"a{number}" for number in range(words))
        html = f"<p {attributes}>x</p>" * (MAX_HTML // len(f"<p {attributes}>x</p>"))
        RULES.check(alert(html=html))
        return min(timeit.repeat(lambda: plain_text(html), number=1, repeat=5))

    assert seconds(MAX_WORDS_IN_A_TAG - 1) < 8 * seconds(MAX_WORDS_IN_A_TAG // 8)


def test_an_honest_alert_with_a_table_and_a_picture_in_it_is_taken() -> None:
    rows = "".join(f"<tr><td style='padding: 4px 8px'>host-{number}</td><td>97 %</td></tr>" for number in range(500))
    picture = f"<img alt='Disk' src='data:image/png;base64,{'A' * 40_000}'>"
    text = "<p title='> a'>" + "It isn't full yet, and don't worry. " * 200
    RULES.check(alert(html=f"<table>{rows}</table>{picture}{text}"))
