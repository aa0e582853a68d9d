"""Templates of a request: whatever the message holds, the request keeps its structure."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.notifications.sms import templates
from app.notifications.sms.templates import Message

any_text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from("\"'\\&=?#%/+.{}<>:@;,\r\n \t"),
    max_size=40,
)
MESSAGE = Message("+260977111222", 'He said "hi" & left; 50% ünïcode {{number}}', "Civil Reg", "delivery-1")


def messages() -> st.SearchStrategy[Message]:
    return st.builds(
        Message,
        number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
        text=any_text,
        sender=any_text,
        id=st.uuids().map(str),
    )


def test_a_url_is_percent_encoded() -> None:
    filled = templates.url("https://gw.test:8443/sms/{{ digits }}?to={{number}}&m={{text}}&from={{sender}}&r={{id}}")
    assert filled(MESSAGE) == (
        "https://gw.test:8443/sms/260977111222?to=%2B260977111222"
        "&m=He%20said%20%22hi%22%20%26%20left%3B%2050%25%20%C3%BCn%C3%AFcode%20%7B%7Bnumber%7D%7D"
        "&from=Civil%20Reg&r=delivery-1"
    )


def test_json_stays_json() -> None:
    filled = templates.json_body('{"to": ["{{number}}"], "body": {"text": "{{text}}", "flash": false}, "n": 1}')
    assert json.loads(filled(MESSAGE)) == {
        "to": ["+260977111222"],
        "body": {"text": MESSAGE.text, "flash": False},
        "n": 1,
    }


def test_a_header_takes_what_is_plain() -> None:
    assert templates.header("key-{{id}} {{digits}}")(MESSAGE) == "key-delivery-1 260977111222"


def test_what_utf_8_cannot_say_is_replaced() -> None:
    message = Message("+260977111222", "a\ud800b\0c", "\udcff", "1")
    assert templates.form("m={{text}}&f={{sender}}")(message) == "m=a%EF%BF%BDbc&f=%EF%BF%BD"


@given(messages())
@example(Message("+260977111222", "&to=%2B0&x=1#y/../../?", "a=b&c", "1"))
def test_no_value_changes_a_url(message: Message) -> None:
    template = "https://gw.test:8443/v1/{{digits}}/sms/{{id}}?to={{number}}&m={{text}}!&from={{sender}}&x=1"
    filled = urlsplit(templates.url(template)(message))
    assert (filled.scheme, filled.netloc, filled.fragment) == ("https", "gw.test:8443", "")
    assert filled.path == f"/v1/{message.number[1:]}/sms/{message.id}"
    assert parse_qsl(filled.query, keep_blank_values=True, strict_parsing=True) == [
        ("to", message.number),
        ("m", f"{message.text}!"),
        ("from", message.sender),
        ("x", "1"),
    ]


@given(messages())
def test_no_value_changes_a_form(message: Message) -> None:
    filled = templates.form("username=a%20b&to={{number}}&message={{text}}&from={{sender}}")(message)
    assert filled.isascii()
    assert parse_qsl(filled, keep_blank_values=True, strict_parsing=True) == [
        ("username", "a b"),
        ("to", message.number),
        ("message", message.text),
        ("from", message.sender),
    ]


@given(messages())
def test_no_value_changes_json(message: Message) -> None:
    template: dict[str, Any] = {
        "messages": [{"to": "{{number}}", "text": "-{{text}}-{{text}}", "from": "{{sender}}"}],
        "flash": False,
        "ttl": 5,
        "none": None,
    }
    assert json.loads(templates.json_body(json.dumps(template))(message)) == {
        "messages": [
            {"to": message.number, "text": f"-{message.text}-{message.text}", "from": message.sender},
        ],
        "flash": False,
        "ttl": 5,
        "none": None,
    }


@pytest.mark.parametrize(
    ("kind", "template", "problem"),
    [
        ("url", "ftp://gw.test/", "http:// or https://"),
        ("url", "/sms", "http:// or https://"),
        ("url", "https://gw.test/a b", "a space in it is %20"),
        ("url", "https://gw.test/\n", "a space in it is %20"),
        ("url", "https://root:hunter2@gw.test/", "SMS_HTTP_HEADERS"),
        ("url", "https://{{sender}}.gw.test/", "in its path or its query"),
        ("url", "https://gw.test{{text}}", "in its path or its query"),
        ("url", "https://gw.test/?a=1#{{text}}", "no #"),
        ("url", "https://gw.test/{{text}}", "{{text}} cannot stand in its path"),
        ("url", "https://gw.test/{{sender}}/x", "{{sender}} cannot stand in its path"),
        ("url", "https://gw.test/?to={{phone}}", "{{phone}} is not known; there are number, digits, text"),
        ("url", "https://gw.test/?to={{number", "a {{ has no }}"),
        ("form", "to={{number}}&text=hello {{text}}", "a space in it is %20"),
        ("form", "to={{}}", "{{}} is not known"),
        ("json_body", '{"to": {{number}}}', "stands inside quotes"),
        ("json_body", "to={{number}}", "not JSON"),
        ("json_body", "[" * 100_000, "not JSON"),
        ("json_body", '{"{{number}}": "to"}', "{{number}} cannot stand in a name"),
        ("json_body", '[{"a": {"x-{{text}}": 1}}]', "{{text}} cannot stand in a name"),
        ("json_body", '{"to": "{{phone}}"}', "{{phone}} is not known"),
        ("json_body", '{"to": ["\\u007b{phone}}"]}', "{{phone}} is not known"),
        ("header", "{{text}}", "{{text}} cannot stand in a header"),
        ("header", "{{sender}}", "{{sender}} cannot stand in a header"),
        ("header", "a\r\nX-Other: b", "printable ASCII"),
        ("header", "schlüssel", "printable ASCII"),
        ("header", " a", "without space around it"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_a_template_that_could_do_harm_is_refused(kind: str, template: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)) as refused:
        getattr(templates, kind)(template)
    assert "hunter2" not in str(refused.value)
