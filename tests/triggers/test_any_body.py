"""Whatever is sent, the answer is JSON of the known shape, and never the server's fault."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import shaped
from tests.triggers.serving import Served

moderately = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

BODIES: dict[str, Any] = {f"/triggers/user/{name}": sample for name, sample in USER_SAMPLES.items()} | {
    "/email": {"subject": "{{DOMAIN}}", "html": "<p>h</p>", "from": "a@registry.test", "to": "{{ALERT_EMAIL}}"},
    "/trigger/hospital/discharge": {
        "recipient": USER_SAMPLES["2fa"]["recipient"],
        "ward": "C",
        "pin": "9182",
        "on": "2026-11-21",
        "weight": "3.5",
        "notes": [None],
        "tags": {"a": 1},
    },
}
paths = st.sampled_from(sorted(BODIES))

text = st.text(st.characters() | st.characters(categories=["Cs"]) | st.just("\0"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
header_text = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=40)
content_types = header_text | st.sampled_from(
    ["application/json", "application/json; charset=utf-16", "application/vnd.api+json", "multipart/form-data"]
)


def is_an_answer_we_give(answer: TestResponse) -> bool:
    assert answer.status_code < 500
    if answer.status_code == 200:
        assert answer.json == {}
    else:
        shaped(answer)
    return True


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """A path, and its valid payload with something in it replaced, taken out or added."""
    path = draw(paths)
    payload = copy.deepcopy(BODIES[path])
    for _ in range(draw(st.integers(1, 3))):
        place = payload
        while True:
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            break
        match draw(st.sampled_from(["replace", "take out", "add"])):
            case "take out" if len(place) > 1:
                del place[key]
            case "add" if isinstance(place, dict):
                place[draw(text)] = draw(json_values)
            case _:
                place[key] = draw(json_values)
    return path, payload


@given(path=paths, body=st.binary(max_size=200), content_type=content_types)
@moderately
def test_any_bytes_of_any_type(server: Served, path: str, body: bytes, content_type: str) -> None:
    answer = server.client.post(path, data=body, headers={"Content-Type": content_type})
    assert is_an_answer_we_give(answer)


@given(path=paths, body=st.binary(max_size=200) | text.map(lambda said: said.encode("utf-8", "surrogatepass")))
@moderately
def test_any_bytes_that_are_called_json(server: Served, path: str, body: bytes) -> None:
    answer = server.client.post(path, data=body, content_type="application/json")
    assert is_an_answer_we_give(answer)


@given(path=paths, value=json_values)
@moderately
def test_any_json(server: Served, path: str, value: Any) -> None:
    answer = server.client.post(path, data=json.dumps(value), content_type="application/json")
    assert is_an_answer_we_give(answer)


@given(mutated())
@settings(moderately, max_examples=200)
def test_anything_that_is_nearly_a_valid_payload(server: Served, sent: tuple[str, Any]) -> None:
    path, payload = sent
    answer = server.client.post(path, data=json.dumps(payload), content_type="application/json")
    assert is_an_answer_we_give(answer)


@given(
    segments=st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=5),
    method=st.sampled_from(["GET", "POST", "PUT"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["Authorization", "X-Forwarded-For", "X-Request-ID", "Content-Encoding", "Accept", "Forwarded"]
        ),
        header_text,
    ),
)
@moderately
def test_any_url_with_any_headers(server: Served, segments: list[str], method: str, headers: dict[str, str]) -> None:
    path = "/" + "/".join(quote(segment, safe="", errors="replace") for segment in segments)
    answer = server.client.open(path, method=method, headers=headers, json={})
    assert answer.status_code < 500
    if answer.status_code != 302:  # from / to the pages for people
        shaped(answer)
