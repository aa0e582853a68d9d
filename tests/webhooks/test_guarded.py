"""A POST to a receiver that may be anybody: where it goes, and what a slow, large, odd or absent one can do."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import formatdate
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import trustme

from app.webhooks.addresses import Address, AllowedAddresses, ForbiddenUrl
from app.webhooks.guarded import LARGEST_ANSWER, LONGEST_PAUSE, Answer, NoAnswer, post
from tests.webhooks.listening import Behave, Caller, Listener

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
LOCAL = AllowedAddresses(LOOPBACK, allow_http=True)
ONE = [ip_address("127.0.0.1")]

Listen = Callable[..., Listener]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Starts a Listener, which stops with the test."""
    started: list[Listener] = []

    def start(behave: Behave, **how: object) -> Listener:
        started.append(Listener(behave, **how).__enter__())  # type: ignore[arg-type]
        return started[-1]

    yield start
    for listener in started:
        listener.__exit__()


def saying(answer: bytes) -> Behave:
    def behave(caller: Caller) -> None:
        caller.request()
        caller.say(answer)

    return behave


def answer_to(listener: Listener, timeout: float = 10, allowed: AllowedAddresses = LOCAL) -> Answer:
    return post(f"http://127.0.0.1:{listener.port}/hook?key=hunter2", b'{"a": 1}', {}, allowed=allowed, timeout=timeout)


def with_body(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_the_bytes_and_headers_arrive_as_they_are(listen: Listen) -> None:
    got: list[bytes] = []

    def behave(caller: Caller) -> None:
        got.append(caller.request())
        caller.say(with_body(b"taken", status="202 Accepted"))

    listener = listen(behave)
    body = '{"name": "Zoë", "n": 1.0}'.encode()
    headers = {"Content-Type": "application/json", "webhook-id": "msg_1", "accept-encoding": "gzip"}
    answer = post(f"http://127.0.0.1:{listener.port}/a/b?c=%20d", body, headers, allowed=LOCAL)
    assert answer == Answer(202, "taken")
    head, _, sent = got[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert (first, sent) == ("POST /a/b?c=%20d HTTP/1.1", body)
    assert sorted(lines, key=str.lower) == [
        "Accept-Encoding: identity",
        "Connection: close",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        f"Host: 127.0.0.1:{listener.port}",
        "User-Agent: country-config",
        "webhook-id: msg_1",
    ]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), ("9" * 30, LONGEST_PAUSE), ("soon", None), (formatdate(0, usegmt=True), 0)],
)
def test_a_receiver_can_ask_for_a_pause(listen: Listen, header: str, seconds: float | None) -> None:
    listener = listen(saying(with_body(b"", f"Retry-After: {header}", status="503 Busy")))
    assert answer_to(listener) == Answer(503, "", seconds)


def test_the_excerpt_is_one_printable_line_without_addresses(listen: Listen) -> None:
    body = b"bad\x00 \xff\r\n\tamina@sink.test \x1b[31m" + b"long " * 1_000
    excerpt = answer_to(listen(saying(with_body(body, status="400 Bad")))).excerpt
    assert excerpt.startswith("bad \N{REPLACEMENT CHARACTER} ami***@***.test [31mlong long")
    assert len(excerpt) == 500


def test_a_redirect_is_not_followed_nor_its_body_read(listen: Listen) -> None:
    elsewhere = listen(saying(with_body(b"followed")))
    sent: list[int] = []

    def behave(caller: Caller) -> None:
        caller.request()
        caller.say(f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\n\r\n".encode())
        while not caller.over.is_set():
            caller.say(b"." * 65_536)
            sent.append(65_536)

    answer = answer_to(listen(behave))
    assert (answer.status, answer.excerpt) == (307, "." * 500)
    assert elsewhere.callers == 0
    assert sum(sent) < 20_000_000  # what the buffers of the system take


def test_an_endless_body_is_read_only_so_far(listen: Listen) -> None:
    broke = threading.Event()

    def behave(caller: Caller) -> None:
        caller.request()
        caller.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while not caller.over.is_set():
                caller.say(b"4000\r\n" + b"." * LARGEST_ANSWER + b"\r\n")
        except OSError:
            broke.set()

    assert answer_to(listen(behave)) == Answer(200, "." * 500)
    assert broke.wait(10)


def test_what_is_compressed_is_not_unpacked(listen: Listen) -> None:
    bomb = gzip.compress(b"." * 50_000_000)
    assert answer_to(listen(saying(with_body(bomb, "Content-Encoding: gzip")))) == Answer(200, "")


def test_a_cookie_is_not_kept(listen: Listen) -> None:
    got: list[bytes] = []

    def behave(caller: Caller) -> None:
        got.append(caller.request())
        caller.say(with_body(b"", "Set-Cookie: a=b; Path=/"))

    listener = listen(behave)
    for _ in range(2):
        answer_to(listener)
    assert len(got) == 2
    assert not any(b"ookie" in request for request in got)


def test_the_environment_has_no_say(listen: Listen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    got: list[bytes] = []

    def behave(caller: Caller) -> None:
        got.append(caller.request())
        caller.say(with_body(b""))

    proxy = listen(saying(with_body(b"by proxy")))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    answer_to(listen(behave))
    assert proxy.callers == 0
    assert b"uthorization" not in got[0]


def hanging(caller: Caller) -> None:
    caller.request()
    caller.over.wait(60)


def deaf(caller: Caller) -> None:
    caller.over.wait(60)


def dripping_head(caller: Caller) -> None:
    caller.request()
    caller.say(b"HTTP/1.1 200 OK\r\n")
    while not caller.over.wait(0.02):
        caller.say(b"X-A: b\r\n")


def dripping_status(caller: Caller) -> None:
    caller.request()
    while not caller.over.wait(0.02):
        caller.say(b"H")


def never_done_with_interim_answers(caller: Caller) -> None:
    caller.request()
    while not caller.over.wait(0.02):
        caller.say(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("behave", [hanging, deaf, dripping_head, dripping_status, never_done_with_interim_answers])
def test_an_answer_that_does_not_come_is_waited_for_only_so_long(listen: Listen, behave: Behave) -> None:
    listener = listen(behave)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer in time"):
        answer_to(listener, timeout=0.3)
    assert 0.2 < time.monotonic() - began < 30


def test_a_body_that_is_not_taken_is_offered_only_so_long(listen: Listen) -> None:
    listener = listen(deaf)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer in time"):
        post(f"http://127.0.0.1:{listener.port}/", b"." * 50_000_000, {}, allowed=LOCAL, timeout=0.3)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked", "X-Until: the end"])
def test_a_body_that_drips_shortens_the_excerpt_only(listen: Listen, framing: str) -> None:
    def behave(caller: Caller) -> None:
        caller.request()
        caller.say(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        while not caller.over.wait(0.02):
            caller.say(b"1\r\n.\r\n" if "chunked" in framing else b".")

    listener = listen(behave)
    began = time.monotonic()
    answer = answer_to(listener, timeout=0.3)
    assert answer.status == 200
    assert set(answer.excerpt) == {"."}
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "RemoteDisconnected"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "BadStatusLine"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000, "LineTooLong"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 1_000 + b"\r\n", "HTTPException"),
    ],
)
def test_what_is_no_http_is_no_answer(listen: Listen, said: bytes, reason: str) -> None:
    with pytest.raises(NoAnswer, match=f"^{reason}$"):
        answer_to(listen(saying(said)))


def test_nobody_there_is_said_without_the_url() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(NoAnswer) as refused:
            post(f"http://127.0.0.1:{port}/?key=hunter2", b"", {}, allowed=LOCAL)
    assert str(refused.value) == "Connection refused"


@pytest.mark.parametrize("headers", [{"X-Key": "a\nb"}, {"X-Key": "schl\u2603ssel"}])
def test_a_header_that_cannot_be_sent_is_no_answer(listen: Listen, headers: dict[str, str]) -> None:
    listener = listen(saying(with_body(b"")))
    with pytest.raises(NoAnswer):
        post(f"http://127.0.0.1:{listener.port}/", b"", headers, allowed=LOCAL)


def test_odd_headers_are_passed_over_and_not_logged(listen: Listen, caplog: pytest.LogCaptureFixture) -> None:
    listener = listen(saying(b"HTTP/1.1 200 OK\r\nA: b\r\nodd\r\nContent-Length: 5\r\n\r\ntaken"))
    assert answer_to(listener).status == 200
    assert caplog.text == ""


class Rebinding:
    """DNS that answers as told, one answer after the other, the last for good."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = [[ip_address(one) for one in answer] for answer in answers]
        self.asked = 0

    def __call__(self, _host: str) -> Sequence[Address]:
        self.asked += 1
        return self._answers[min(self.asked, len(self._answers)) - 1]


def test_a_name_that_comes_to_lead_elsewhere_is_refused_before_anything_is_sent(listen: Listen) -> None:
    listener = listen(saying(with_body(b"")))
    allowed = AllowedAddresses(allow_http=True, resolve=Rebinding(["93.184.215.14"], ["127.0.0.1"]))
    url = f"http://receiver.example:{listener.port}/"
    allowed.check_url(url)
    with pytest.raises(ForbiddenUrl, match="not on the public internet"):
        post(url, b"{}", {}, allowed=allowed)
    assert listener.callers == 0


def test_a_name_is_resolved_once_and_the_checked_address_connected_to(listen: Listen) -> None:
    inside = listen(saying(with_body(b"inside")), host="127.0.0.2")
    dns = Rebinding(["127.0.0.1"], ["127.0.0.2"])
    allowed = AllowedAddresses([ip_network("127.0.0.1/32")], allow_http=True, resolve=dns)
    with pytest.raises(NoAnswer, match="Connection refused"):
        post(f"http://receiver.example:{inside.port}/", b"{}", {}, allowed=allowed)
    assert (dns.asked, inside.callers) == (1, 0)


def test_one_forbidden_address_among_others_is_enough(listen: Listen) -> None:
    listener = listen(saying(with_body(b"")))
    dns = Rebinding(["127.0.0.1", "10.0.0.1"])
    with pytest.raises(ForbiddenUrl):
        post(
            f"http://receiver.example:{listener.port}/",
            b"",
            {},
            allowed=AllowedAddresses(LOOPBACK, allow_http=True, resolve=dns),
        )
    assert listener.callers == 0


def test_the_next_address_is_tried_where_one_does_not_answer(listen: Listen) -> None:
    listener = listen(saying(with_body(b"second")))
    dns = Rebinding(["127.0.0.2", "127.0.0.1"])
    allowed = AllowedAddresses(LOOPBACK, allow_http=True, resolve=dns)
    assert post(f"http://receiver.example:{listener.port}/", b"", {}, allowed=allowed).excerpt == "second"


def test_a_receiver_by_ipv6_is_reached(listen: Listen) -> None:
    listener = listen(saying(with_body(b"six")), host="::1")
    assert post(f"http://[::1]:{listener.port}/", b"", {}, allowed=LOCAL).excerpt == "six"


def test_a_name_that_does_not_resolve_may_do_so_later() -> None:
    def unknown(_host: str) -> Sequence[Address]:
        raise OSError("hunter2.example")

    with pytest.raises(NoAnswer, match=r"^its host does not resolve$"):
        post("https://hunter2.example/", b"", {}, allowed=AllowedAddresses(resolve=unknown))


def test_dns_that_hangs_is_waited_for_only_so_long() -> None:
    over = threading.Event()

    def hang(_host: str) -> Sequence[Address]:
        over.wait(60)
        return ONE

    began = time.monotonic()
    with pytest.raises(NoAnswer):
        post("https://receiver.example/", b"", {}, allowed=AllowedAddresses(LOOPBACK, resolve=hang), timeout=0.2)
    assert time.monotonic() - began < 30
    over.set()


def named(certificate_authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate_authority.issue_cert(name).configure_cert(context)
    return context


def over_tls(listener: Listener, ca_file: Path | None, timeout: float = 10) -> Answer:
    allowed = AllowedAddresses(LOOPBACK, resolve=lambda _: ONE)
    url = f"https://receiver.example:{listener.port}/"
    return post(url, b"{}", {}, allowed=allowed, timeout=timeout, ca_file=str(ca_file) if ca_file else None)


def test_the_certificate_is_checked_against_the_name(
    listen: Listen, certificate_authority: trustme.CA, ca_file: Path
) -> None:
    asked_for: list[str | None] = []
    context = named(certificate_authority, "receiver.example")
    context.sni_callback = lambda _socket, name, _context: asked_for.append(name)
    listener = listen(saying(with_body(b"secured")), tls=context)
    assert over_tls(listener, ca_file).excerpt == "secured"
    assert asked_for == ["receiver.example"]


def test_a_certificate_for_another_name_is_refused(
    listen: Listen, certificate_authority: trustme.CA, ca_file: Path
) -> None:
    got: list[bytes] = []
    listener = listen(lambda caller: got.append(caller.request()), tls=named(certificate_authority, "127.0.0.1"))
    with pytest.raises(NoAnswer, match=r"^its certificate is refused: Hostname mismatch$"):
        over_tls(listener, ca_file)
    assert got == []


def test_a_certificate_of_an_unknown_authority_is_refused(listen: Listen, certificate_authority: trustme.CA) -> None:
    listener = listen(saying(with_body(b"")), tls=named(certificate_authority, "receiver.example"))
    with pytest.raises(NoAnswer, match=r"^its certificate is refused: unable to get local issuer certificate$"):
        over_tls(listener, None)


def test_what_speaks_no_tls_is_no_answer(listen: Listen, ca_file: Path) -> None:
    def behave(caller: Caller) -> None:
        caller.say(b"HTTP/1.1 400 Bad\r\n\r\n")
        caller.over.wait(60)

    with pytest.raises(NoAnswer, match=r"^TLS failed: [A-Z_]+$"):
        over_tls(listen(behave), ca_file)


@pytest.mark.parametrize("behave", [hanging, dripping_head])
def test_tls_is_bounded_in_time_too(
    listen: Listen, behave: Behave, certificate_authority: trustme.CA, ca_file: Path
) -> None:
    listener = listen(behave, tls=named(certificate_authority, "receiver.example"))
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer in time"):
        over_tls(listener, ca_file, timeout=0.3)
    assert time.monotonic() - began < 30


def test_a_handshake_that_drips_is_waited_for_only_so_long(listen: Listen, ca_file: Path) -> None:
    def behave(caller: Caller) -> None:
        caller.say(b"\x16\x03\x03\x40\x00")  # the head of a TLS record of 16 KB
        while not caller.over.wait(0.02):
            caller.say(b"\x02")

    began = time.monotonic()
    with pytest.raises(NoAnswer, match="no answer in time"):
        over_tls(listen(behave), ca_file, timeout=0.3)
    assert time.monotonic() - began < 30


def test_a_connection_that_does_not_come_about_is_waited_for_only_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        began = time.monotonic()
        with pytest.raises(NoAnswer, match="no answer in time"):
            post(
                f"http://127.0.0.1:{full.getsockname()[1]}/",
                b"{}",
                {},
                allowed=LOCAL,
                timeout=60,
                connect_timeout=0.3,
            )
        assert time.monotonic() - began < 30
