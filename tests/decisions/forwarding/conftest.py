"""A server for receivers, and one receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.decisions.forwarding.receiver import ForwardReceiver


@pytest.fixture(scope="session")
def receivers() -> Iterator[HTTPServer]:
    """What all receivers of a run are behind, since a server takes half a second to stop."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def receiver(receivers: HTTPServer) -> Iterator[ForwardReceiver]:
    receivers.clear()
    yield ForwardReceiver(receivers)
    receivers.check_handler_errors()
