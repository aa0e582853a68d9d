"""Signatures, checked against the specification's own example and independent verifiers."""

from __future__ import annotations

import base64
import hmac
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jws as jose
from standardwebhooks import Webhook

from app.webhooks.formats import FORMATS, Signing, jws, standard

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    signing = Signing("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, 1, (SECRET,))
    request = standard.signed(BODY, signing)
    assert request.body == BODY
    assert request.headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("length", [24, 32, 64])
def test_secrets_of_the_lengths_that_the_specification_allows_are_taken(length: int) -> None:
    assert standard.problem_of("whsec_" + base64.b64encode(b"k" * length).decode()) is None


_TOO_SHORT = "whsec_" + base64.b64encode(b"k" * 23).decode()


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!!", _TOO_SHORT, "ä" * 40])
def test_other_secrets_are_refused(secret: str) -> None:
    assert standard.problem_of(secret) is not None


@pytest.mark.parametrize("name", FORMATS)
def test_a_new_secret_is_a_good_one_and_never_the_same(name: str) -> None:
    made = {FORMATS[name].new_secret() for _ in range(20)}
    assert len(made) == 20
    assert {FORMATS[name].problem_of(secret) for secret in made} == {None}


def test_each_of_several_secrets_can_check_it() -> None:
    old, new = standard.new_secret(), standard.new_secret()
    import time

    request = standard.signed(BODY, Signing("msg_1", int(time.time()), 1, (new, old)))
    for secret in (old, new):
        Webhook(secret).verify(BODY, dict(request.headers))


# The other library takes what looks like a public key for a mistake: not with these letters.
@given(
    secret=st.text(string.digits + "_.+/=äß", min_size=1, max_size=80),
    content=st.dictionaries(st.text(), st.integers()),
)
def test_a_jws_of_any_secret_and_content_is_verified_by_another_library(secret: str, content: dict[str, int]) -> None:
    body = json.dumps(content).encode()
    request = jws.signed(body, Signing("msg_1", 1, 1, (secret,)))
    header, payload, signature = request.body.split(b".")
    expected = hmac.digest(secret.encode(), header + b"." + payload, "sha256")
    assert base64.urlsafe_b64decode(signature + b"==") == expected
    assert json.loads(jose.verify(request.body.decode(), secret, algorithms=["HS256"])) == content


def test_tries_of_a_jws_are_signed_by_turns_while_a_secret_is_replaced() -> None:
    tried = [jws.signed(BODY, Signing("msg_1", 1, attempt, ("new", "old"))).body.decode() for attempt in (1, 2, 3)]
    for text, secret in zip(tried, ("new", "old", "new"), strict=True):
        assert jose.verify(text, secret, algorithms=["HS256"]) == BODY
