"""From where a request comes, and whether it may be believed."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from app.access.callers import CallerKind
from app.access.networks import Address, Callers, TokenlessNetworks
from app.environment.variables import LOOPBACK_AND_PRIVATE
from app.settings import AppEnv, Settings

TRUSTED = tuple(map(ip_network, LOOPBACK_AND_PRIVATE.split(",")))
PROXIES = (ip_network("10.0.0.0/24"), ip_network("2001:db8:1::/64"))


def request_from(peer: str | None, **headers: str) -> Request:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request(
        EnvironBuilder(headers=named, environ_base={} if peer is None else {"REMOTE_ADDR": peer}).get_environ()
    )


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("172.18.0.5", True),
        ("192.168.0.9", True),
        ("fd12:3456::1", True),
        ("::ffff:10.1.2.3", True),
        ("::ffff:127.0.0.1", True),
        ("::FFFF:172.18.0.5", True),
        ("203.0.113.7", False),
        ("::ffff:203.0.113.7", False),
        ("2001:db8::7", False),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),  # noqa: S104
        ("", False),
        (None, False),
        ("unix:", False),
        ("localhost", False),
        ("10.1.2.3.4", False),
        ("10.01.2.3", False),
        ("2130706433", False),
    ],
)
def test_without_proxies_the_peers_address_decides(peer: str | None, trusted: bool) -> None:
    assert Callers(TRUSTED, ()).is_trusted(request_from(peer)) is trusted


@pytest.mark.parametrize(
    "header",
    [
        "X_Forwarded_For",
        "X_Forwarded_Host",
        "X_Forwarded_Proto",
        "X_Forwarded",
        "X_FORWARDED_ANYTHING",
        "X_Original_Forwarded_For",
        "X_Original_Host",
        "Forwarded",
        "Via",
        "X_Real_IP",
        "X_Client_IP",
        "X_Cluster_Client_IP",
        "X_Envoy_External_Address",
        "CF_Connecting_IP",
        "Fly_Client_IP",
        "True_Client_IP",
    ],
)
@pytest.mark.parametrize("value", ["127.0.0.1", "10.1.2.3", "for=127.0.0.1", "", "garbage"])
@pytest.mark.parametrize("proxies", [(), PROXIES], ids=["no proxies", "other proxies"])
def test_a_forwarded_header_from_a_stranger_makes_the_caller_untrusted(
    header: str, value: str, proxies: tuple[object, ...]
) -> None:
    callers = Callers(TRUSTED, PROXIES if proxies else ())
    assert callers.is_trusted(request_from("192.168.0.9"))
    forged = request_from("192.168.0.9", **{header: value})
    assert callers.address(forged) is None
    assert not callers.is_trusted(forged)


@pytest.mark.parametrize(
    ("chain", "caller"),
    [
        pytest.param("203.0.113.7", "203.0.113.7", id="one hop"),
        pytest.param("192.168.0.9", "192.168.0.9", id="one trusted hop"),
        pytest.param("127.0.0.1, 203.0.113.7", "203.0.113.7", id="the caller forged the left part"),
        pytest.param("garbage, 192.168.0.9", "192.168.0.9", id="the caller forged garbage"),
        pytest.param("203.0.113.7, 10.0.0.8", "203.0.113.7", id="two proxies"),
        pytest.param("127.0.0.1, 203.0.113.7, 10.0.0.8, 10.0.0.9", "203.0.113.7", id="three proxies, forged left part"),
        pytest.param("203.0.113.7, 2001:db8:1::5", "203.0.113.7", id="a proxy with an IPv6 address"),
        pytest.param("203.0.113.7, ::ffff:10.0.0.8", "203.0.113.7", id="a proxy's IPv4 address in an IPv6 one"),
        pytest.param("::ffff:192.168.0.9", "192.168.0.9", id="the caller's IPv4 address in an IPv6 one"),
        pytest.param("2001:db8::7", "2001:db8::7", id="an IPv6 caller"),
        pytest.param("  203.0.113.7\t,10.0.0.8 ", "203.0.113.7", id="blanks"),
    ],
)
def test_behind_trusted_proxies_the_rightmost_address_that_is_none_of_them_is_the_caller(
    chain: str, caller: str
) -> None:
    assert Callers(TRUSTED, PROXIES).address(request_from("10.0.0.2", X_Forwarded_For=chain)) == ip_address(caller)


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param("", id="empty"),
        pytest.param(",", id="a comma"),
        pytest.param("unknown", id="unknown"),
        pytest.param("_hidden", id="obfuscated"),
        pytest.param("192.168.0.9:4711", id="with a port"),
        pytest.param("[fd00::1]", id="in brackets"),
        pytest.param("192.168.0.9, garbage", id="garbage on the right"),
        pytest.param("192.168.0.9, garbage, 10.0.0.8", id="garbage behind a proxy"),
        pytest.param("192.168.0.9,", id="nothing on the right"),
        pytest.param("192.168.0.9 203.0.113.7", id="no comma"),
        pytest.param("192.168.0.0/16", id="a network"),
    ],
)
def test_where_the_proxy_does_not_say_the_caller_is_not_trusted(chain: str) -> None:
    callers = Callers(TRUSTED, PROXIES)
    request = request_from("10.0.0.2", X_Forwarded_For=chain)
    assert callers.address(request) is None
    assert not callers.is_trusted(request)


@pytest.mark.parametrize(
    ("chain", "caller"),
    [
        pytest.param("10.0.0.2", "10.0.0.2", id="core shares the proxy's machine"),
        pytest.param("10.0.0.8", "10.0.0.8", id="core shares another proxy's machine"),
        pytest.param("10.0.0.8, 10.0.0.9", "10.0.0.9", id="two proxies"),
        pytest.param("10.0.0.8, ::ffff:10.0.0.9", "10.0.0.9", id="an IPv4 address in an IPv6 one"),
    ],
)
def test_where_all_are_trusted_proxies_the_last_one_is_the_caller(chain: str, caller: str) -> None:
    callers = Callers(TRUSTED, PROXIES)
    request = request_from("10.0.0.2", X_Forwarded_For=chain)
    assert callers.address(request) == ip_address(caller)
    assert callers.is_trusted(request)


@pytest.mark.parametrize("header", ["X_Real_IP", "Forwarded", "X_Client_IP"])
def test_a_proxy_that_says_it_by_another_header_says_nothing(header: str) -> None:
    assert Callers(TRUSTED, PROXIES).address(request_from("10.0.0.2", **{header: "192.168.0.9"})) is None


def test_a_proxy_that_says_nothing_is_not_trusted_for_its_own_address() -> None:
    assert not Callers(TRUSTED, PROXIES).is_trusted(request_from("10.0.0.2"))


def test_a_proxy_may_be_anywhere() -> None:
    callers = Callers(TRUSTED, [ip_network("203.0.113.1/32")])
    assert callers.is_trusted(request_from("203.0.113.1", X_Forwarded_For="192.168.0.9"))
    assert not callers.is_trusted(request_from("203.0.113.1", X_Forwarded_For="203.0.113.7"))
    assert not callers.is_trusted(request_from("203.0.113.2", X_Forwarded_For="192.168.0.9"))


def test_a_proxys_other_headers_change_nothing() -> None:
    said = {"X_Forwarded_For": "192.168.0.9", "X_Forwarded_Proto": "https", "Via": "1.1 proxy"}
    assert Callers(TRUSTED, PROXIES).is_trusted(request_from("10.0.0.2", **said))


def test_headers_that_forward_nothing_change_nothing() -> None:
    assert Callers(TRUSTED, PROXIES).is_trusted(request_from("192.168.0.9", X_Request_ID="request-42", X_Forward="x"))


def test_where_no_network_is_trusted_nobody_is() -> None:
    assert not Callers((), ()).is_trusted(request_from("127.0.0.1"))


LISTED, LOCAL, ELSEWHERE = map(ip_address, ("10.7.0.1", "127.0.0.1", "10.8.0.1"))


@pytest.mark.parametrize(
    ("app_env", "address", "kind"),
    [
        ("production", LISTED, CallerKind.LISTED),
        ("production", LOCAL, CallerKind.NOBODY),
        ("production", ELSEWHERE, CallerKind.NOBODY),
        ("production", None, CallerKind.NOBODY),
        ("development", LISTED, CallerKind.DEVELOPER),
        ("development", LOCAL, CallerKind.DEVELOPER),
        ("test", ip_address("::1"), CallerKind.DEVELOPER),
        ("development", ELSEWHERE, CallerKind.NOBODY),
        ("development", None, CallerKind.NOBODY),
    ],
)
def test_a_caller_without_a_token_is_what_its_address_says(
    settings: Settings, app_env: str, address: Address | None, kind: CallerKind
) -> None:
    configured = replace(settings, app_env=AppEnv(app_env), tokenless_callers=(ip_network("10.7.0.0/16"),))
    assert TokenlessNetworks.from_settings(configured).kind_of(address) is kind


def test_by_default_no_address_is_listed(settings: Settings) -> None:
    in_production = TokenlessNetworks.from_settings(replace(settings, app_env=AppEnv.PRODUCTION))
    assert in_production == TokenlessNetworks((), ())
