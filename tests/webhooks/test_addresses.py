"""Which URLs may be posted to: the spelling of a URL, and the addresses behind it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.addresses import Address, AllowedAddresses, ForbiddenUrl, resolve
from app.webhooks.guarded import post

# Public addresses of example.com and of nobody in particular; no test sends anything there.
PUBLIC = ip_address("93.184.215.14")
PUBLIC_6 = ip_address("2606:2800:21f:cb07:6820:80da:af6b:8b2c")

NAMES: dict[str, Sequence[Address]] = {
    "example.com": [PUBLIC, PUBLIC_6],
    "xn--bcher-kva.example": [PUBLIC],
    "my_service.example": [PUBLIC],
    "localhost": [ip_address("127.0.0.1"), ip_address("::1")],
    "localtest.example": [ip_address("127.0.0.1")],
    "half.example": [PUBLIC, ip_address("10.0.0.1")],
    "half6.example": [PUBLIC, ip_address("::ffff:127.0.0.1")],
    "metadata.google.internal": [ip_address("169.254.169.254")],
}


def known(host: str) -> Sequence[Address]:
    """As a DNS that knows these names, and reads every number that inet_aton does as 127.0.0.1."""
    if host in NAMES:
        return NAMES[host]
    if host[:1].isdigit():
        return [ip_address("127.0.0.1")]
    raise OSError("unknown")


STRICT = AllowedAddresses(resolve=known)
HTTP = AllowedAddresses(allow_http=True, resolve=known)
NOT_PUBLIC = "not on the public internet"
IS_NUMBER = "host is a number"

FORBIDDEN = [
    ("https://127.0.0.1/", NOT_PUBLIC),
    ("https://127.255.255.254", NOT_PUBLIC),
    ("https://10.0.0.1", NOT_PUBLIC),
    ("https://172.31.255.255", NOT_PUBLIC),
    ("https://192.168.0.1", NOT_PUBLIC),
    ("https://100.64.0.1", NOT_PUBLIC),
    ("https://100.100.100.200", NOT_PUBLIC),
    ("https://169.254.169.254/latest/meta-data", NOT_PUBLIC),
    ("https://168.63.129.16", NOT_PUBLIC),
    ("https://192.0.0.192", NOT_PUBLIC),
    ("https://0.0.0.0", NOT_PUBLIC),
    ("https://255.255.255.255", NOT_PUBLIC),
    ("https://224.0.0.1", NOT_PUBLIC),
    ("https://240.0.0.1", NOT_PUBLIC),
    ("https://198.18.0.1", NOT_PUBLIC),
    ("https://203.0.113.9", NOT_PUBLIC),
    ("https://2130706433", IS_NUMBER),
    ("https://017700000001", IS_NUMBER),
    ("https://0x7f000001", IS_NUMBER),
    ("https://0X7F.0.0.1", IS_NUMBER),
    ("https://0177.0.0.1", IS_NUMBER),
    ("https://127.1", IS_NUMBER),
    ("https://127.0.1", IS_NUMBER),
    ("https://0", IS_NUMBER),
    ("https://127.0.0.01", IS_NUMBER),
    ("https://127.0.0.0x1", IS_NUMBER),
    ("https://1.127.0.0.1", IS_NUMBER),
    ("https://127.0.0.1.", "not a name"),
    ("https://localhost.", "not a name"),
    ("https://\uff11\uff12\uff17.0.0.1", "no domain name has"),
    ("https://\u2460\u2461\u2466.0.0.1", "no domain name has"),
    ("https://127\u30020\u30020\u30021", "no domain name has"),
    ("https://lo\u017fal.example", "no domain name has"),
    ("https://[::1]/", NOT_PUBLIC),
    ("https://[0:0:0:0:0:0:0:1]/", NOT_PUBLIC),
    ("https://[::]/", NOT_PUBLIC),
    ("https://[::ffff:127.0.0.1]/", NOT_PUBLIC),
    ("https://[::ffff:7f00:1]/", NOT_PUBLIC),
    ("https://[::FFFF:A9FE:A9FE]/", NOT_PUBLIC),
    ("https://[::127.0.0.1]/", NOT_PUBLIC),
    ("https://[64:ff9b::127.0.0.1]/", NOT_PUBLIC),
    ("https://[64:ff9b::a9fe:a9fe]/", NOT_PUBLIC),
    ("https://[64:ff9b:1::1]/", NOT_PUBLIC),
    ("https://[2002:7f00:1::]/", NOT_PUBLIC),
    ("https://[2002:5db8:d70e::1]/", NOT_PUBLIC),
    ("https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", NOT_PUBLIC),
    ("https://[fe80::1]/", NOT_PUBLIC),
    ("https://[fd00:ec2::254]/", NOT_PUBLIC),
    ("https://[fec0::1]/", NOT_PUBLIC),
    ("https://[ff02::1]/", NOT_PUBLIC),
    ("https://[2001:db8::1]/", NOT_PUBLIC),
    ("https://[100::1]/", NOT_PUBLIC),
    ("https://[fe80::1%25eth0]/", "no IPv6 address"),
    ("https://[fe80::1%eth0]/", "no IPv6 address"),
    ("https://[v1.a]/", "no IPv6 address"),
    ("https://[::1", "no host, or a port"),
    ("https://::1/", "no host, or a port"),
    ("https://localhost/", NOT_PUBLIC),
    ("https://LocalHost:8080/", NOT_PUBLIC),
    ("https://localtest.example/", NOT_PUBLIC),
    ("https://half.example/", NOT_PUBLIC),
    ("https://half6.example/", NOT_PUBLIC),
    ("https://metadata.google.internal/computeMetadata/v1/", NOT_PUBLIC),
    ("https://example.com@127.0.0.1/", "name or a password"),
    ("https://example.com:80@127.0.0.1/", "name or a password"),
    ("https://127.0.0.1:80@example.com/", "name or a password"),
    ("https://:@example.com/", "name or a password"),
    ("https://example.com\\@127.0.0.1/", "backslash"),
    ("https:\\\\127.0.0.1/", "backslash"),
    ("https://127.0.0.1\\.example.com/", "backslash"),
    ("https://example.com#@127.0.0.1/", "fragment"),
    ("https://example.com\t/", "percent-encoded"),
    ("https://exam\nple.com/", "percent-encoded"),
    (" https://example.com/", "percent-encoded"),
    ("https://example.com/\x00", "percent-encoded"),
    ("https://example.com /", "percent-encoded"),
    ("https://exam\u00adple.com/", "percent-encoded"),
    ("https://exam%70le.com/", "not a name"),
    ("https://%31%32%37.0.0.1/", IS_NUMBER),
    ("https://example..com/", "not a name"),
    ("https://-example.com/", "not a name"),
    (f"https://{'a' * 64}.example/", "not a name"),
    (f"https://{'a.' * 130}example/", "not a name"),
    (f"https://\u00fc.{'a.' * 130}example/", "not a name"),
    ("https:///path", "not a name"),
    ("https://?query", "not a name"),
    ("https://example.com:0/", "port"),
    ("https://example.com:65536/", "port"),
    ("https://example.com:/", "port"),
    ("https://example.com:+80/", "port"),
    ("https://example.com:\u0661/", "port"),
    ("https://example.com:80:80/", "port"),
    ("https:/example.com/", "begin with"),
    ("https:example.com/", "begin with"),
    ("//example.com/", "begin with"),
    ("example.com", "begin with"),
    ("", "begin with"),
    ("ftp://example.com/", "begin with"),
    ("file:///etc/passwd", "begin with"),
    ("gopher://127.0.0.1:6379/_x", "begin with"),
    ("unix:///var/run/docker.sock", "begin with"),
    ("https://example.com/\u00fc", "beyond ASCII"),
    (f"https://example.com/{'a' * 2_000}", "longer than 2000"),
]


@pytest.mark.parametrize(("url", "message"), FORBIDDEN)
@pytest.mark.parametrize("allowed", [STRICT, HTTP], ids=["https", "http"])
def test_a_url_is_refused_where_it_is_saved(allowed: AllowedAddresses, url: str, message: str) -> None:
    with pytest.raises(ForbiddenUrl, match=message):
        allowed.check_url(url)


@pytest.mark.parametrize(("url", "message"), FORBIDDEN)
def test_a_url_is_refused_where_it_is_posted_to(url: str, message: str) -> None:
    with pytest.raises(ForbiddenUrl, match=message):
        post(url, b"{}", {}, allowed=STRICT)


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://localhost/", "http://[::1]:80/", "http://half.example/"])
def test_http_is_judged_like_https(url: str) -> None:
    with pytest.raises(ForbiddenUrl, match=NOT_PUBLIC):
        HTTP.check_url(url)


def test_http_is_refused_unless_it_is_allowed() -> None:
    with pytest.raises(ForbiddenUrl, match="make it https"):
        STRICT.check_url("http://example.com/")
    HTTP.check_url("http://example.com/")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://EXAMPLE.com:8443/a/b?c=d&e=%20f",
        "https://example.com?c=d",
        "https://93.184.215.14/",
        "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:443/",
        "https://[64:ff9b::93.184.215.14]/",
        "https://b\u00fccher.example/",
        "https://B\u00dcCHER.example/",
        "https://my_service.example/",
    ],
)
def test_a_url_on_the_public_internet_is_fine(url: str) -> None:
    STRICT.check_url(url)


def test_a_host_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(ForbiddenUrl, match="does not resolve"):
        STRICT.check_url("https://unknown.example/")
    with pytest.raises(ForbiddenUrl, match="does not resolve"):
        AllowedAddresses(resolve=lambda _: []).check_url("https://example.com/")


@pytest.mark.parametrize(
    "url", ["https://user:hunter2@example.com/", "http://example.com/?key=hunter2", "https://127.0.0.1/hunter2"]
)
def test_what_is_said_quotes_nothing_of_the_url(url: str) -> None:
    with pytest.raises(ForbiddenUrl) as refused:
        STRICT.check_url(url)
    assert "hunter2" not in str(refused.value)


def test_networks_that_are_listed_are_permitted_and_no_others() -> None:
    listed = AllowedAddresses([ip_network("10.1.0.0/16"), ip_network("fd00:1::/32")], resolve=known)
    listed.check_url("https://10.1.2.3/")
    listed.check_url("https://[fd00:1::5]/")
    listed.check_url("https://[::ffff:10.1.2.3]/")
    listed.check_url("https://example.com/")
    for url in ("https://10.2.0.1/", "https://[fd00:2::5]/", "https://[::ffff:10.2.0.1]/", "https://127.0.0.1/"):
        with pytest.raises(ForbiddenUrl):
            listed.check_url(url)


def test_an_address_in_a_listed_network_is_judged_by_the_address_inside_it_too() -> None:
    listed = AllowedAddresses([ip_network("64:ff9b::/96"), ip_network("2002::/16"), ip_network("::/96")])
    for address in ("64:ff9b::10.0.0.1", "2002:a00:1::", "::10.0.0.1"):
        assert not listed.permits(ip_address(address))
    for address in ("64:ff9b::93.184.215.14", "2002:5db8:d70e::", "::93.184.215.14"):
        assert listed.permits(ip_address(address))


def test_an_address_with_a_zone_is_never_permitted() -> None:
    assert not AllowedAddresses([ip_network("fe80::/10")]).permits(IPv6Address("fe80::1%eth0"))
    assert not AllowedAddresses().permits(IPv6Address("2606:2800::1%1"))


@given(st.ip_addresses(v=4))
def test_no_address_is_permitted_that_python_calls_private(address: IPv4Address) -> None:
    if AllowedAddresses().permits(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses(v=6))
def test_no_ipv6_address_is_permitted_that_python_calls_private(address: IPv6Address) -> None:
    if AllowedAddresses().permits(address):
        judged = address.ipv4_mapped or address
        assert judged.is_global
        assert not judged.is_multicast


@given(st.text(max_size=60) | st.text("htps:/.@[]1270x%\\#?a\u00fc").map("https://{}".format))
def test_any_text_is_a_public_url_or_refused(url: str) -> None:
    with suppress(ForbiddenUrl):
        STRICT.check_url(url)


def test_the_hosts_own_names_resolve() -> None:
    assert ip_address("127.0.0.1") in resolve("localhost")
