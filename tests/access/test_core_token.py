"""Which tokens are core's, and for how long that is remembered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from app.access import core_token
from app.access.core_token import AUDIENCE, ISSUER, CoreTokens, InvalidToken
from app.instance import development_auth_key
from app.opencrvs.public_key import FixedKey
from app.triggers.samples import USER_SAMPLES
from tests.access.tokens import claims, crafted, hs256, private_key, public_pem, rs256, signed
from tests.triggers.answers import error_of, rows_kept
from tests.triggers.serving import Served, served


class Rotating:
    """A key that says how often it was used, and changes when it is looked for anew."""

    def __init__(self, *names: str) -> None:
        self._names = list(names)
        self.generation = 1
        self.used = 0

    def current(self) -> RSAPublicKey:
        self.used += 1
        return private_key(self._names[0]).public_key()

    def refreshed(self, since: int) -> bool:
        if len(self._names) > 1:
            del self._names[0]
            self.generation += 1
        return self.generation != since


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def core() -> RSAPrivateKey:
    return private_key("core")


@pytest.fixture
def tokens(core: RSAPrivateKey) -> CoreTokens:
    return CoreTokens(FixedKey(core.public_key()))


def now(after: float = 0) -> int:
    return int(time.time() + after)


Attack = Callable[[RSAPrivateKey], str]

# What the caller is told, and how it was forged with or without core's key.
ATTACKS: dict[str, tuple[str, Attack]] = {
    "no signature, alg none": ("RS256", lambda _: crafted({"alg": "none"}, claims(), lambda _: b"")),
    "no signature, alg None": ("RS256", lambda _: crafted({"alg": "None"}, claims(), lambda _: b"")),
    "no signature, RS256": ("not signed by core", lambda _: crafted({"alg": "RS256"}, claims(), lambda _: b"")),
    "HS256 with the public key for a secret": (
        "RS256",
        lambda core: crafted({"alg": "HS256", "typ": "JWT"}, claims(), hs256(public_pem(core))),
    ),
    "RS256 said, HS256 made": (
        "not signed by core",
        lambda core: crafted({"alg": "RS256"}, claims(), hs256(public_pem(core))),
    ),
    "no alg": ("RS256", lambda core: crafted({"typ": "JWT"}, claims(), rs256(core))),
    "alg a list": ("RS256", lambda core: crafted({"alg": ["RS256"]}, claims(), rs256(core))),
    "alg in small letters": ("RS256", lambda core: crafted({"alg": "rs256"}, claims(), rs256(core))),
    "somebody else's key": ("not signed by core", lambda _: signed(private_key("stranger"))),
    "its own key in the header": (
        "not signed by core",
        lambda _: crafted({"alg": "RS256", "jwk": {"kty": "RSA"}}, claims(), rs256(private_key("stranger"))),
    ),
    "claims exchanged under the signature": (
        "not signed by core",
        lambda core: exchanged(signed(core), signed(core, sub="x")),
    ),
    "another issuer": ("auth service", lambda core: signed(core, iss="opencrvs:events-service")),
    "the start of the issuer": ("auth service", lambda core: signed(core, iss=ISSUER[:-1])),
    "a part of the issuer": ("auth service", lambda core: signed(core, iss="auth-service")),
    "more than the issuer": ("auth service", lambda core: signed(core, iss=f"{ISSUER}:evil")),
    "the issuer in capitals": ("auth service", lambda core: signed(core, iss=ISSUER.upper())),
    "the issuer in a list": ("auth service", lambda core: signed(core, iss=[ISSUER])),
    "an empty issuer": ("auth service", lambda core: signed(core, iss="")),
    "no issuer": ("lacks", lambda core: signed(core, iss=None)),
    "another audience": ("not meant for", lambda core: signed(core, aud="opencrvs:gateway-user")),
    "the start of the audience": ("not meant for", lambda core: signed(core, aud=[AUDIENCE[:-1]])),
    "more than the audience": ("not meant for", lambda core: signed(core, aud=[f"{AUDIENCE}s"])),
    "other audiences only": (
        "not meant for",
        lambda core: signed(core, aud=["opencrvs:gateway-user", "opencrvs:events-user"]),
    ),
    "an audience that is no text": ("not meant for", lambda core: signed(core, aud=[1])),
    "an audience that is an object": ("not meant for", lambda core: signed(core, aud={AUDIENCE: True})),
    "no audience in the list": ("lacks", lambda core: signed(core, aud=[])),
    "no audience": ("lacks", lambda core: signed(core, aud=None)),
    "expired more than the leeway ago": ("expired", lambda core: signed(core, exp=now(-61))),
    "expired long ago": ("expired", lambda core: signed(core, exp=0)),
    "no expiry": ("lacks", lambda core: signed(core, exp=None)),
    "expiry that is a list": ("not a valid token", lambda core: signed(core, exp=[now(600)])),
    "expiry that is a word": ("not a valid token", lambda core: signed(core, exp="never")),
    "expiry that is infinite": ("not a valid token", lambda core: signed(core, exp=float("inf"))),
    "expiry that is no number": ("not a valid token", lambda core: signed(core, exp=float("nan"))),
    "expiry beyond all floats": ("no time", lambda core: signed(core, exp=10**400)),
    "expiry of 5,000 digits": (
        "not a valid token",
        lambda core: crafted({"alg": "RS256"}, b'{"exp":%s}' % (b"9" * 5_000), rs256(core)),
    ),
    "not valid yet": ("not valid yet", lambda core: signed(core, nbf=now(70))),
    "issued in the future": ("not valid yet", lambda core: signed(core, iat=now(70))),
    "valid from an infinite time": ("not a valid token", lambda core: signed(core, nbf=float("inf"))),
    "64 KB": ("too long", lambda core: signed(core, scope="x" * 65_536)),
    "64 KB of garbage": ("too long", lambda _: "x" * 65_536),
    "a word": ("not a valid token", lambda _: "no-token-at-all"),
    "two parts": ("not a valid token", lambda core: signed(core).rpartition(".")[0]),
    "four parts": ("not a valid token", lambda core: signed(core) + ".e30"),
    "empty parts": ("not a valid token", lambda _: ".."),
    "no base64": ("not a valid token", lambda _: "a.b.c"),
    "not ASCII": ("not a valid token", lambda core: signed(core) + "é"),
    "a header that is nested deeply": ("not a valid token", lambda _: crafted(b"[" * 10_000, {}, lambda _: b"")),
    "a header that is a list": ("not a valid token", lambda core: crafted([], claims(), rs256(core))),
    "a header that is no JSON": ("not a valid token", lambda core: crafted(b"{", claims(), rs256(core))),
    "a header that is not UTF-8": ("not a valid token", lambda core: crafted(b"\xff", claims(), rs256(core))),
    "a payload that is nested deeply": (
        "not a valid token",
        lambda core: crafted({"alg": "RS256"}, b"[" * 10_000, rs256(core)),
    ),
    "a payload that is a list": ("not a valid token", lambda core: crafted({"alg": "RS256"}, [claims()], rs256(core))),
    "a payload that is null": ("not a valid token", lambda core: crafted({"alg": "RS256"}, None, rs256(core))),
    "a payload that is a number": ("not a valid token", lambda core: crafted({"alg": "RS256"}, 1, rs256(core))),
    "a payload that is not UTF-8": ("not a valid token", lambda core: crafted({"alg": "RS256"}, b"\xff", rs256(core))),
    "an empty payload": ("not a valid token", lambda core: crafted({"alg": "RS256"}, b"", rs256(core))),
}


def exchanged(token: str, other: str) -> str:
    """The header and claims of one token under the signature of the other."""
    return f"{token.rpartition('.')[0]}.{other.rpartition('.')[2]}"


@pytest.mark.parametrize(("said", "attack"), ATTACKS.values(), ids=ATTACKS)
def test_a_token_that_is_not_cores_is_refused(
    tokens: CoreTokens, core: RSAPrivateKey, said: str, attack: Attack
) -> None:
    with pytest.raises(InvalidToken, match=said):
        tokens.verify(attack(core))


@pytest.mark.parametrize("attack", [attack for _, attack in ATTACKS.values()], ids=ATTACKS)
def test_a_refusal_does_not_quote_the_token(tokens: CoreTokens, core: RSAPrivateKey, attack: Attack) -> None:
    token = attack(core)
    with pytest.raises(InvalidToken) as raised:
        tokens.verify(token)
    assert not any(part in str(raised.value) for part in token.split(".") if len(part) > 8)


@pytest.mark.parametrize("text", ["\ud800", "a.\udfff.c", "\0", ""])
def test_what_no_header_can_carry_is_refused_too(tokens: CoreTokens, text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(text)


@given(st.text() | st.lists(st.text(st.characters(codec="ascii")), min_size=3, max_size=3).map(".".join))
@of_hypothesis(max_examples=150, deadline=None)
def test_no_text_at_all_crashes(text: str) -> None:
    with pytest.raises(InvalidToken):
        CoreTokens(FixedKey(private_key("core").public_key())).verify(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(
    changes=st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "scope"]), json_values, min_size=1, max_size=3
    ),
    header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk"]), json_values, max_size=2),
)
@of_hypothesis(max_examples=150, deadline=None)
def test_no_signed_claims_at_all_crash(changes: dict[str, Any], header: dict[str, Any]) -> None:
    core = private_key("core")
    token = crafted({"alg": "RS256"} | header, claims() | changes, rs256(core))
    try:
        found = CoreTokens(FixedKey(core.public_key())).verify(token)
    except InvalidToken:
        return
    assert found["iss"] == ISSUER
    assert AUDIENCE in found["aud"]


VALID: dict[str, Callable[[], dict[str, Any]]] = {
    "as it is": dict,
    "an audience that is one text": lambda: {"aud": AUDIENCE},
    "no other audience": lambda: {"aud": [AUDIENCE]},
    "expired within the leeway": lambda: {"exp": now(-50)},
    "a week of life": lambda: {"exp": now(7 * 24 * 3600)},
    "a fraction of a second": lambda: {"exp": now(600) + 0.5},
    "valid within the leeway": lambda: {"nbf": now(50)},
    "issued within the leeway": lambda: {"iat": now(50)},
    "no time of issue": lambda: {"iat": None},
    "no subject": lambda: {"sub": None},
    "an event action's": lambda: {"scope": ["record.register"], "eventId": "e", "actionId": "a", "userType": "user"},
}


@pytest.mark.parametrize("changes", VALID.values(), ids=VALID)
def test_a_token_of_cores_is_taken_with_all_its_claims(
    tokens: CoreTokens, core: RSAPrivateKey, changes: Callable[[], dict[str, Any]]
) -> None:
    expected = claims(**changes())
    assert tokens.verify(crafted({"alg": "RS256"}, expected, rs256(core))) == expected


def test_an_audience_can_be_chosen(core: RSAPrivateKey) -> None:
    tokens = CoreTokens(FixedKey(core.public_key()), audience="opencrvs:events-user")
    assert tokens.verify(signed(core, aud=["opencrvs:events-user"]))["sub"] == "auth"
    with pytest.raises(InvalidToken, match="not meant for"):
        tokens.verify(signed(core, aud=[AUDIENCE]))


def test_after_a_rotation_the_new_key_is_taken_and_the_old_one_refused() -> None:
    tokens = CoreTokens(Rotating("old", "new"))
    old, new = signed(private_key("old")), signed(private_key("new"))
    assert tokens.verify(old)["sub"] == "auth"
    assert tokens.verify(new)["sub"] == "auth"
    with pytest.raises(InvalidToken, match="not signed by core"):
        tokens.verify(old)
    with pytest.raises(InvalidToken, match="not signed by core"):
        tokens.verify(signed(private_key("old")))


def test_a_token_that_fits_neither_key_is_refused_after_a_rotation() -> None:
    with pytest.raises(InvalidToken, match="not signed by core"):
        CoreTokens(Rotating("old", "new")).verify(signed(private_key("stranger")))


def test_only_a_wrong_signature_makes_us_look_for_a_new_key() -> None:
    key = Rotating("core", "new")
    with pytest.raises(InvalidToken, match="expired"):
        CoreTokens(key).verify(signed(private_key("core"), exp=now(-100)))
    assert key.generation == 1


def test_a_verified_token_is_remembered(core: RSAPrivateKey) -> None:
    key = Rotating("core")
    tokens = CoreTokens(key)
    token = signed(core)
    assert tokens.verify(token) == tokens.verify(token) == tokens.verify(token)
    assert key.used == 1


def test_a_token_is_not_remembered_past_its_expiry(core: RSAPrivateKey) -> None:
    key, clock = Rotating("core"), Clock()
    tokens = CoreTokens(key, clock=clock)
    token = signed(core, exp=int(clock.now) + 600)
    tokens.verify(token)
    clock.now = int(clock.now) + 599.9
    tokens.verify(token)
    assert key.used == 1
    clock.now += 0.2
    tokens.verify(token)
    assert key.used == 2


def test_a_token_within_the_leeway_after_its_expiry_is_verified_each_time(core: RSAPrivateKey) -> None:
    key = Rotating("core")
    tokens = CoreTokens(key)
    token = signed(core, exp=now(-10))
    tokens.verify(token)
    tokens.verify(token)
    assert key.used == 2


def test_only_so_many_tokens_are_remembered(core: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core_token, "_CACHED_TOKENS", 3)
    key = Rotating("core")
    tokens = CoreTokens(key)
    first, *others = (signed(core, sub=str(number)) for number in range(4))
    for token in (first, *others):
        tokens.verify(token)
    assert key.used == 4
    for token in others:
        tokens.verify(token)
    assert key.used == 4
    tokens.verify(first)
    assert key.used == 5


def test_what_is_refused_is_not_remembered(core: RSAPrivateKey) -> None:
    key = Rotating("core")
    tokens = CoreTokens(key)
    token = signed(core, iss="other")
    for _ in range(2):
        with pytest.raises(InvalidToken):
            tokens.verify(token)
    assert key.used == 2


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("server"), migrated_sqlite) as server:
        yield server


@pytest.fixture(scope="module")
def servers_key(server: Served) -> RSAPrivateKey:
    """The private half of the key that the server takes for core's."""
    return cast(
        "RSAPrivateKey", load_pem_private_key(development_auth_key(server.settings.instance_dir), password=None)
    )


@pytest.mark.parametrize("attack", [attack for _, attack in ATTACKS.values()], ids=ATTACKS)
def test_an_attack_is_answered_401_and_nothing_is_kept(
    server: Served, servers_key: RSAPrivateKey, attack: Attack
) -> None:
    token = attack(servers_key)
    answer = server.client.post(
        "/triggers/user/2fa", json=USER_SAMPLES["2fa"], headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert error_of(answer) == "Unauthorized"
    assert token not in answer.text
    assert rows_kept(server.database) == 0
