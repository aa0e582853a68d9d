"""The providers that the tests of SMS call, all behind one server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.notifications.sms.stub_africas_talking import AfricasTalkingStub
from tests.notifications.sms.stub_infobip import InfobipStub
from tests.notifications.sms.stub_twilio import TwilioStub


@pytest.fixture(scope="session")
def providers_server() -> Iterator[HTTPServer]:
    """One for all tests, since a server takes half a second to stop."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def http(providers_server: HTTPServer) -> Iterator[HTTPServer]:
    """A server that knows no requests yet; what its handlers found wrong fails the test."""
    providers_server.clear()
    yield providers_server
    providers_server.check_handler_errors()


@pytest.fixture
def twilio(http: HTTPServer) -> TwilioStub:
    return TwilioStub(http)


@pytest.fixture
def infobip(http: HTTPServer) -> InfobipStub:
    return InfobipStub(http)


@pytest.fixture
def africas_talking(http: HTTPServer) -> AfricasTalkingStub:
    return AfricasTalkingStub(http)
