"""Every answer has an id, by which it is found in the log."""

from __future__ import annotations

import uuid

import pytest

from app.encryption import Cipher
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import TWO_FACTOR, last_kept
from tests.triggers.serving import Served


@pytest.mark.parametrize("sane", ["request-42", "0190B2C4-7f00-7abc-8def-0123456789ab", "a.b_c-D1", "x" * 64])
def test_a_sane_request_id_is_sent_back_and_kept(server: Served, sane: str) -> None:
    answer = server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"], headers={"X-Request-ID": sane})
    assert answer.headers["X-Request-ID"] == sane
    assert last_kept(server.database, Cipher(server.settings.secret_keys))[0].request_id == sane


@pytest.mark.parametrize(
    "insane",
    [
        "",
        "short",
        "x" * 65,
        "a b c d e f",
        "<script>alert(1)</script>",
        "request-42;x",
        "réquest-42",
        "request/42!",
        "9" * 999,
    ],
)
def test_an_insane_request_id_is_replaced(server: Served, insane: str) -> None:
    answer = server.client.post(TWO_FACTOR, json=USER_SAMPLES["2fa"], headers={"X-Request-ID": insane})
    assert answer.status_code == 200
    ours = answer.headers["X-Request-ID"]
    assert uuid.UUID(ours).version == 7
    assert last_kept(server.database, Cipher(server.settings.secret_keys))[0].request_id == ours


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("GET", TWO_FACTOR), ("POST", TWO_FACTOR), ("GET", "/ping")]
)
def test_every_answer_has_a_request_id_of_its_own(server: Served, method: str, path: str) -> None:
    ids = {server.client.open(path, method=method).headers["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3
    answer = server.client.open(path, method=method, headers={"X-Request-ID": "request-42"})
    assert answer.headers["X-Request-ID"] == "request-42"
