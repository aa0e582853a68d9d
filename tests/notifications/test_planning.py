"""What a trigger owes: by which channel, to whom, until when, and why nobody is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.notifications.catalogue import ALERT, USER_MESSAGES, Expiry
from app.notifications.planning import Policy, plan
from app.outbox.delivery import NewDelivery
from app.outbox.states import Priority, Reason, State

BOTH = {"email": "smtp", "sms": "sms:inbox"}
RECEIVED_AT = 1_000_000.0

EMAIL, MOBILE = "amina@sink.test", "0977111222"
DEMO, INVALID = "kennedy@Example.COM", "nobody"

CODES = ["2fa", "reset-password", "change-phone-number", "change-email-address"]
LINKS = ["password-reset-link", "username-reminder-link"]
CHANGES = ["change-phone-number", "change-email-address"]
PERSONAL = [name for name in USER_MESSAGES if name != "all-user-notification"]

moderately = settings(max_examples=150, deadline=None)


def policy(
    *methods: str,
    destinations: Mapping[str, str] = BOTH,
    otp_ttl: float = 600,
    link_ttl: float = 3_600,
    max_recipients: int = 100,
) -> Policy:
    lifetimes = {Expiry.CODE: otp_ttl, Expiry.LINK: link_ttl}
    return Policy(methods, destinations, lifetimes, max_recipients, languages=["en"])


def planned(name: str, recipient: Mapping[str, Any], decided_by: Policy) -> NewDelivery:
    """What a message to one person owes."""
    (owed,) = plan(USER_MESSAGES[name], {"recipient": recipient}, RECEIVED_AT, decided_by)
    return owed


def announced(recipient: Mapping[str, Any], decided_by: Policy) -> list[NewDelivery]:
    return plan(USER_MESSAGES["all-user-notification"], {"recipient": recipient}, RECEIVED_AT, decided_by)


def users(count: int) -> list[str]:
    return [f"user{number}@registry.test" for number in range(1, count + 1)]


# --- to one person


@pytest.mark.parametrize(
    ("methods", "recipient", "channel", "address"),
    [
        pytest.param(["email"], {"email": EMAIL, "mobile": MOBILE}, "email", EMAIL, id="e-mail"),
        pytest.param(["sms"], {"email": EMAIL, "mobile": MOBILE}, "sms", MOBILE, id="sms"),
        pytest.param(["email", "sms"], {"email": EMAIL, "mobile": MOBILE}, "email", EMAIL, id="e-mail preferred"),
        pytest.param(["sms", "email"], {"email": EMAIL, "mobile": MOBILE}, "sms", MOBILE, id="sms preferred"),
        pytest.param(["email", "sms"], {"mobile": MOBILE}, "sms", MOBILE, id="no e-mail address, so sms"),
        pytest.param(["email", "sms"], {"email": " ", "mobile": MOBILE}, "sms", MOBILE, id="blank address, so sms"),
        pytest.param(["sms", "email"], {"email": EMAIL}, "email", EMAIL, id="no number, so e-mail"),
        pytest.param(["email", "sms"], {"email": INVALID, "mobile": MOBILE}, "sms", MOBILE, id="bad address, so sms"),
        pytest.param(["sms"], {"email": DEMO, "mobile": MOBILE}, "sms", MOBILE, id="the address of the method counts"),
        pytest.param(["email"], {"email": f" {EMAIL}\n"}, "email", EMAIL, id="blanks around"),
    ],
)
@pytest.mark.parametrize("name", [name for name in PERSONAL if name not in CHANGES])
def test_a_message_goes_by_the_first_method_that_has_an_address(
    name: str, methods: list[str], recipient: dict[str, str], channel: str, address: str
) -> None:
    owed = planned(name, recipient, policy(*methods))
    assert (owed.state, owed.reason) == (State.QUEUED, None)
    assert (owed.key, owed.channel, owed.destination, owed.message) == (channel, channel, BOTH[channel], name)
    assert owed.payload == {"to": [address], "bcc": [], "languages": ["en"]}


@pytest.mark.parametrize(
    ("methods", "recipient", "state", "reason"),
    [
        pytest.param(["email"], {}, State.DROPPED, "no address for email", id="nothing known"),
        pytest.param(["sms"], {"email": EMAIL}, State.DROPPED, "no address for sms", id="no number"),
        pytest.param(["email"], {"mobile": MOBILE}, State.DROPPED, "no address for email", id="no e-mail address"),
        pytest.param(["sms", "email"], {}, State.DROPPED, "no address for sms or email", id="nothing for either"),
        pytest.param(["email"], {"email": "", "mobile": ""}, State.DROPPED, "no address for email", id="empty"),
        pytest.param(["email"], {"email": DEMO}, State.DROPPED, Reason.DEMO_ADDRESS, id="demo user"),
        pytest.param(
            ["email", "sms"],
            {"email": DEMO, "mobile": MOBILE},
            State.DROPPED,
            Reason.DEMO_ADDRESS,
            id="demo user with a number",
        ),
        pytest.param(
            ["sms", "email"], {"email": DEMO}, State.DROPPED, Reason.DEMO_ADDRESS, id="demo user without a number"
        ),
        pytest.param(["email"], {"email": INVALID}, State.FAILED, "not an e-mail address", id="bad address"),
        pytest.param(
            ["email", "sms"], {"email": INVALID}, State.FAILED, "not an e-mail address", id="bad address, no number"
        ),
    ],
)
@pytest.mark.parametrize("name", [name for name in PERSONAL if name not in CHANGES])
def test_why_nobody_is_told_is_kept(
    name: str, methods: list[str], recipient: dict[str, str], state: State, reason: str
) -> None:
    owed = planned(name, recipient, policy(*methods))
    assert owed.state is state
    assert owed.reason is not None
    assert reason in owed.reason
    assert (owed.message, owed.payload, owed.expires_at) == (name, None, None)


@pytest.mark.parametrize("name", USER_MESSAGES)
def test_without_a_method_nothing_is_sent(name: str) -> None:
    (owed,) = plan(USER_MESSAGES[name], {"recipient": {"email": EMAIL, "mobile": MOBILE}}, RECEIVED_AT, policy())
    assert owed.state is State.DROPPED
    assert owed.reason == "switched off: USER_NOTIFICATION_DELIVERY_METHOD"
    assert owed.payload is None


@pytest.mark.parametrize(
    ("methods", "set_up", "channel"),
    [
        (["email", "sms"], ["sms"], "sms"),
        (["sms", "email"], ["email"], "email"),
        (["email"], ["sms"], None),
        (["sms"], ["email"], None),
        (["email", "sms"], [], None),
    ],
)
def test_a_method_that_is_not_set_up_is_passed_over(methods: list[str], set_up: list[str], channel: str | None) -> None:
    destinations = {name: BOTH[name] for name in set_up}
    owed = planned("user-created", {"email": EMAIL, "mobile": MOBILE}, policy(*methods, destinations=destinations))
    if channel is None:
        assert owed.state is State.DROPPED
        assert owed.reason == f"switched off: {methods[0]} is not set up"
    else:
        assert (owed.state, owed.channel) == (State.QUEUED, channel)


@pytest.mark.parametrize("name", PERSONAL)
@pytest.mark.parametrize(
    "recipient", [{"email": EMAIL}, {"mobile": "+260977111222"}, {"email": DEMO}, {"email": INVALID}]
)
def test_what_a_list_shows_of_a_recipient_is_masked(name: str, recipient: dict[str, str]) -> None:
    owed = planned(name, recipient, policy("email", "sms"))
    assert owed.recipient is not None
    assert "***" in owed.recipient
    assert not any(address in repr((owed.recipient, owed.reason)) for address in recipient.values())


# --- one-time codes


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize(("method", "otp_ttl"), [("email", 600), ("sms", 60)])
def test_a_one_time_code_is_urgent_and_dies_with_its_time(name: str, method: str, otp_ttl: float) -> None:
    recipient = {"email": EMAIL} if method == "email" else {"mobile": MOBILE}
    owed = planned(name, recipient, policy(method, otp_ttl=otp_ttl))
    assert owed.priority is Priority.OTP
    assert owed.expires_at == RECEIVED_AT + otp_ttl


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize(("method", "link_ttl"), [("email", 3_600), ("sms", 900)])
def test_a_recovery_link_is_urgent_and_dies_with_a_time_of_its_own(name: str, method: str, link_ttl: float) -> None:
    owed = planned(name, {"email": EMAIL, "mobile": MOBILE}, policy(method, link_ttl=link_ttl))
    assert owed.priority is Priority.OTP
    assert owed.expires_at == RECEIVED_AT + link_ttl


@pytest.mark.parametrize("name", [name for name in PERSONAL if name not in (*CODES, *LINKS)])
def test_other_messages_do_not_expire(name: str) -> None:
    owed = planned(name, {"email": EMAIL}, policy("email"))
    assert owed.priority is Priority.TRANSACTIONAL
    assert owed.expires_at is None


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("methods", "set_up", "recipient", "channel"),
    [
        pytest.param(["sms"], BOTH, {"email": EMAIL, "mobile": MOBILE}, "email", id="e-mail whatever the method"),
        pytest.param(["sms", "email"], BOTH, {"email": EMAIL, "mobile": MOBILE}, "email", id="e-mail first"),
        pytest.param(["email"], BOTH, {"email": EMAIL}, "email", id="e-mail by method"),
        pytest.param(["sms"], BOTH, {"mobile": MOBILE}, "sms", id="no address on file"),
        pytest.param(["sms"], BOTH, {"email": " ", "mobile": MOBILE}, "sms", id="a blank address on file"),
        pytest.param(["sms"], BOTH, {"email": INVALID, "mobile": MOBILE}, "sms", id="a bad address on file"),
        pytest.param(["sms"], {"sms": "s"}, {"email": EMAIL, "mobile": MOBILE}, "sms", id="e-mail is not set up"),
        pytest.param(
            ["email", "sms"], {"sms": "s"}, {"email": EMAIL, "mobile": MOBILE}, "sms", id="only sms is set up"
        ),
    ],
)
def test_a_change_of_address_is_confirmed_by_the_registered_e_mail_where_there_is_one(
    name: str, methods: list[str], set_up: dict[str, str], recipient: dict[str, str], channel: str
) -> None:
    owed = planned(name, recipient, policy(*methods, destinations=set_up))
    assert (owed.state, owed.channel, owed.priority) == (State.QUEUED, channel, Priority.OTP)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("methods", "recipient", "reason"),
    [
        (["sms"], {"email": DEMO, "mobile": MOBILE}, Reason.DEMO_ADDRESS),
        (["sms"], {}, "no address for email or sms"),
        (["email"], {"mobile": MOBILE}, "no address for email"),
    ],
)
def test_a_change_of_address_that_nobody_can_be_told_of_is_dropped(
    name: str, methods: list[str], recipient: dict[str, str], reason: str
) -> None:
    owed = planned(name, recipient, policy(*methods))
    assert (owed.state, owed.reason) == (State.DROPPED, reason)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_address_where_nothing_is_set_up_names_the_method(name: str) -> None:
    owed = planned(name, {"email": EMAIL, "mobile": MOBILE}, policy("sms", destinations={}))
    assert (owed.state, owed.reason) == (State.DROPPED, "switched off: sms is not set up")


# --- to all users


@pytest.mark.parametrize(
    ("count", "most", "sizes"),
    [
        (0, 100, [1]),
        (99, 100, [100]),
        (100, 100, [100, 1]),
        (250, 100, [100, 100, 51]),
        (500, 100, [100] * 5 + [1]),
        (500, 501, [501]),
        (3, 1, [1, 1, 1, 1]),
    ],
)
def test_an_announcement_is_split_by_envelope_recipients_with_the_admin_in_the_first(
    count: int, most: int, sizes: list[int]
) -> None:
    owed = announced({"email": EMAIL, "bcc": users(count)}, policy("email", max_recipients=most))
    payloads = [item.payload or {} for item in owed]
    assert [len(payload["to"] + payload["bcc"]) for payload in payloads] == sizes
    assert [payload["to"] for payload in payloads] == [[EMAIL], *[[]] * (len(sizes) - 1)]
    assert [address for payload in payloads for address in payload["bcc"]] == users(count)
    assert [item.key for item in owed] == [f"email.{number}" for number in range(1, len(sizes) + 1)]
    assert {(item.channel, item.destination, item.priority, item.state) for item in owed} == {
        ("email", "smtp", Priority.BULK, State.QUEUED)
    }
    assert {item.expires_at for item in owed} == {None}


def test_an_announcement_goes_by_e_mail_whatever_the_method() -> None:
    (owed,) = announced({"email": EMAIL, "mobile": MOBILE, "bcc": users(2)}, policy("sms"))
    assert (owed.channel, owed.destination) == ("email", "smtp")


def test_an_announcement_without_an_admin_goes_to_the_users_alone() -> None:
    (owed,) = announced({"bcc": users(2)}, policy("email"))
    assert owed.payload == {"to": [], "bcc": users(2), "languages": ["en"]}


def test_an_announcement_needs_e_mail() -> None:
    (owed,) = announced({"email": EMAIL, "bcc": users(2)}, policy("email", "sms", destinations={"sms": "s"}))
    assert (owed.state, owed.reason) == (State.DROPPED, "switched off: e-mail is not set up")


@pytest.mark.parametrize("recipient", [{}, {"bcc": []}, {"email": " ", "bcc": ["", " "]}, {"mobile": MOBILE}])
def test_an_announcement_to_nobody_is_dropped(recipient: dict[str, Any]) -> None:
    (owed,) = announced(recipient, policy("email"))
    assert (owed.state, owed.reason) == (State.DROPPED, "no address for email")


def test_an_address_gets_an_announcement_once() -> None:
    bcc = [
        "u@registry.test",
        EMAIL.upper(),
        "U@REGISTRY.TEST",
        " u@registry.test ",
        "v@registry.test",
        "u@registry.test",
    ]
    (owed,) = announced({"email": EMAIL, "bcc": bcc}, policy("email"))
    assert owed.payload == {"to": [EMAIL], "bcc": ["u@registry.test", "v@registry.test"], "languages": ["en"]}


def test_addresses_that_cannot_be_used_do_not_keep_an_announcement_from_the_others() -> None:
    bcc = [
        "a@registry.test",
        "x@example.com",
        "nobody",
        "Y@EXAMPLE.COM",
        "b@registry.test",
        "@",
        "\ud800@registry.test",
    ]
    sent, demo, invalid = announced({"email": EMAIL, "bcc": bcc}, policy("email"))
    assert sent.payload == {"to": [EMAIL], "bcc": ["a@registry.test", "b@registry.test"], "languages": ["en"]}
    assert (demo.key, demo.state, demo.reason) == ("email.demo", State.DROPPED, Reason.DEMO_ADDRESS)
    assert (demo.recipient, demo.payload) == ("***@***.com and 1 more", None)
    assert (invalid.key, invalid.state, invalid.reason) == ("email.invalid", State.FAILED, "not e-mail addresses")
    assert (invalid.recipient, invalid.payload) == ("*** and 2 more", None)


@pytest.mark.parametrize("admin", [DEMO, INVALID])
def test_an_admin_who_cannot_be_told_does_not_keep_an_announcement_from_the_users(admin: str) -> None:
    sent, left_out = announced({"email": admin, "bcc": users(2)}, policy("email"))
    assert sent.payload == {"to": [], "bcc": users(2), "languages": ["en"]}
    assert left_out.state in (State.DROPPED, State.FAILED)


def test_an_announcement_to_demo_users_alone_is_dropped() -> None:
    (owed,) = announced({"email": DEMO, "bcc": ["x@example.com"]}, policy("email"))
    assert (owed.state, owed.reason) == (State.DROPPED, Reason.DEMO_ADDRESS)


addresses = st.emails() | st.sampled_from([DEMO, INVALID, "", " ", EMAIL, EMAIL.upper(), "x@example.com"])


@given(admin=addresses | st.none(), bcc=st.lists(addresses, max_size=30), most=st.integers(1, 10))
@moderately
def test_every_usable_address_is_in_exactly_one_part(admin: str | None, bcc: list[str], most: int) -> None:
    recipient = {"bcc": bcc} | ({} if admin is None else {"email": admin})
    owed = announced(recipient, policy("email", max_recipients=most))
    assert len({item.key for item in owed}) == len(owed)
    parts = [[*item.payload["to"], *item.payload["bcc"]] for item in owed if item.payload is not None]
    assert all(1 <= len(part) <= most for part in parts)
    told = [address.lower() for part in parts for address in part]
    assert len(told) == len(set(told))
    assert not any(address.endswith("@example.com") for address in told)
    assert set(told) <= {address.strip().lower() for address in [*bcc, admin or ""]}


# --- alerts


def alerted(to: str, decided_by: Policy | None = None) -> list[NewDelivery]:
    body = {"subject": "s", "html": "<p>h</p>", "from": "a@registry.test", "to": to}
    return plan(ALERT, body, RECEIVED_AT, decided_by or policy("email"))


@pytest.mark.parametrize(
    ("to", "addresses"),
    [
        (EMAIL, [EMAIL]),
        (f"{EMAIL}, joseph@registry.test", [EMAIL, "joseph@registry.test"]),
        (f"Amina Mwale <{EMAIL}>", [EMAIL]),
        (f'"Mwale, Amina" <{EMAIL}>, joseph@registry.test', [EMAIL, "joseph@registry.test"]),
        (f"{EMAIL},{EMAIL.upper()}", [EMAIL]),
        (f"x@example.com, {EMAIL}", [EMAIL]),
    ],
)
def test_an_alert_goes_to_all_that_it_names(to: str, addresses: list[str]) -> None:
    (owed,) = alerted(to)
    assert (owed.state, owed.channel, owed.destination, owed.message) == (State.QUEUED, "email", "smtp", "alert")
    assert owed.payload == {"to": addresses, "bcc": [], "languages": ["en"]}
    assert (owed.priority, owed.expires_at) == (Priority.TRANSACTIONAL, None)


@pytest.mark.parametrize(
    ("to", "state", "reason"),
    [
        ("", State.DROPPED, "no address in `to`: is ALERT_EMAIL set?"),
        (" , ", State.DROPPED, "no address in `to`: is ALERT_EMAIL set?"),
        (DEMO, State.DROPPED, Reason.DEMO_ADDRESS),
        ("\ud800@registry.test", State.FAILED, "not an e-mail address"),
        ("nobody", State.FAILED, "not an e-mail address"),
        ("(" * 5000, State.FAILED, "not an e-mail address"),
        ("a:" * 5000, State.FAILED, "not an e-mail address"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_why_an_alert_reaches_nobody_is_kept(to: str, state: State, reason: str) -> None:
    (owed,) = alerted(to)
    assert (owed.state, owed.reason, owed.payload) == (state, reason, None)


def test_an_alert_does_not_depend_on_the_users_method() -> None:
    (owed,) = alerted(EMAIL, policy())
    assert owed.state is State.QUEUED


def test_an_alert_needs_e_mail() -> None:
    (owed,) = alerted(EMAIL, policy("email", destinations={}))
    assert (owed.state, owed.reason) == (State.DROPPED, "switched off: e-mail is not set up")


# --- anything at all

any_text = st.text(
    st.characters() | st.characters(categories=["Cs"]) | st.sampled_from('@.,;:<>()"\\\0\n '), max_size=30
)


@given(to=any_text)
@moderately
def test_any_alert_can_be_planned(to: str) -> None:
    (owed,) = alerted(to)
    assert (owed.recipient or "").isprintable()


@given(
    name=st.sampled_from(list(USER_MESSAGES)),
    recipient=st.fixed_dictionaries(
        {}, optional={"email": any_text, "mobile": any_text, "bcc": st.lists(any_text, max_size=4)}
    ),
    methods=st.lists(st.sampled_from(["email", "sms"]), max_size=3),
    set_up=st.sets(st.sampled_from(["email", "sms"])),
)
@moderately
def test_any_recipient_can_be_planned(
    name: str, recipient: dict[str, Any], methods: Sequence[str], set_up: set[str]
) -> None:
    destinations = {channel: BOTH[channel] for channel in set_up}
    owed = plan(USER_MESSAGES[name], {"recipient": recipient}, RECEIVED_AT, policy(*methods, destinations=destinations))
    assert owed
    for item in owed:
        assert (item.state is State.QUEUED) == (item.reason is None) == (item.payload is not None)
        assert item.state is not State.QUEUED or item.channel in set_up
        assert (item.recipient or "").isprintable()


# --- where the first way fails


@pytest.mark.parametrize(
    ("methods", "recipient", "ways"),
    [
        (["email", "sms"], {"email": EMAIL, "mobile": MOBILE}, ["email", "sms"]),
        (["sms", "email"], {"email": EMAIL, "mobile": MOBILE}, ["sms", "email"]),
        (["email", "sms"], {"email": EMAIL}, ["email"]),
        (["email", "sms"], {"email": EMAIL, "mobile": " "}, ["email"]),
        (["sms", "email"], {"email": INVALID, "mobile": MOBILE}, ["sms"]),
        (["email"], {"email": EMAIL, "mobile": MOBILE}, ["email"]),
    ],
)
def test_the_next_method_that_has_an_address_stands_behind_the_first(
    methods: list[str], recipient: dict[str, str], ways: list[str]
) -> None:
    owed: NewDelivery | None = planned("2fa", recipient, policy(*methods))
    found = []
    while owed is not None:
        assert owed.expires_at == RECEIVED_AT + 600
        found.append(owed.channel)
        owed = owed.otherwise
    assert found == ways


@pytest.mark.parametrize("methods", [("email", "sms"), ("sms", "email")])
@pytest.mark.parametrize(
    "address", [DEMO, "amina@EXAMPLE.com", "amina@\uff45\uff58\uff41\uff4d\uff50\uff4c\uff45.com"], ids=ascii
)
def test_a_demo_user_gets_nothing_whatever_the_order_of_methods(methods: tuple[str, str], address: str) -> None:
    owed = planned("2fa", {"email": address, "mobile": MOBILE}, policy(*methods))
    assert (owed.state, owed.reason, owed.otherwise) == (State.DROPPED, Reason.DEMO_ADDRESS, None)
