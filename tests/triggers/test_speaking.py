"""In which language a person is written to, by what is known of the person and by the country's rule."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.country import Country, InvalidRules, Recipient, language, load
from app.notifications.languages import Languages
from app.triggers.speaking import Speaking

LANGUAGES = Languages(("en", "ar"), ["ar", "en", "fr", "pt-BR"])
AMINA = Recipient("Amina Mwale", "amina@family.test", "+243977111222")
BY_NUMBER = """
from app.country import language

@language
def of(recipient):
    return "fr" if recipient.mobile.startswith("+243") else None
"""

Rules = Callable[[str], Speaking]


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    """A country with such a rules.py; none of its rules may take longer than a moment."""

    def write(content: str) -> Speaking:
        (tmp_path / "rules.py").write_text(content)
        return Speaking(load(tmp_path), LANGUAGES, timeout=0.2)

    return write


@pytest.fixture
def hanging() -> Iterator[Speaking]:
    """A country whose rule does not come back before the test has ended."""
    ended = threading.Event()

    def wait(recipient: Recipient) -> str:
        ended.wait(60)
        return "fr"

    yield Speaking(Country(language_rule=wait), LANGUAGES, timeout=0.05)
    ended.set()


def rule(body: str) -> str:
    return f"from app.country import language\n\n@language\ndef of(recipient):\n    {body}\n"


def test_without_a_rule_everybody_is_written_to_in_the_default() -> None:
    assert Speaking(Country(), LANGUAGES, 1).to(AMINA) == ("en", "ar")


def test_a_rule_says_it_by_what_is_known_of_the_recipient(rules: Rules) -> None:
    speaking = rules(BY_NUMBER)
    assert speaking.to(AMINA) == ("fr",)
    assert speaking.to(Recipient(mobile="+260977111222")) == ("en", "ar")


@pytest.mark.parametrize("said", ["name", "email", "mobile"])
def test_what_is_not_known_is_an_empty_text(rules: Rules, said: str) -> None:
    assert rules(rule(f'return "fr" if recipient.{said} == "" else "ar"')).to(Recipient()) == ("fr",)


def test_what_the_person_chose_goes_before_the_rule(rules: Rules) -> None:
    assert rules(BY_NUMBER).to(AMINA, "pt_br") == ("pt-BR",)


@pytest.mark.parametrize("wished", ["", "Bemba", None, 3, ["fr"]])
def test_a_choice_that_cannot_be_spoken_leaves_it_to_the_rule(rules: Rules, wished: object) -> None:
    assert rules(BY_NUMBER).to(AMINA, wished) == ("fr",)
    assert Speaking(Country(), LANGUAGES, 1).to(AMINA, wished) == ("en", "ar")


@pytest.mark.parametrize("returned", ["'xx'", "3", "['fr']", "''"])
def test_a_rule_that_names_no_language_leaves_the_default_and_is_logged(rules: Rules, returned: str) -> None:
    with capture_logs() as logs:
        assert rules(rule(f"return {returned}")).to(AMINA) == ("en", "ar")
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("language.unknown", "warning")]


@pytest.mark.parametrize("fails", ["return 1 / 0", "raise SystemExit", "raise KeyError(recipient.email)"])
def test_a_rule_that_fails_leaves_the_default_and_is_logged_with_its_line(rules: Rules, fails: str) -> None:
    speaking = rules(rule(fails))
    with capture_logs() as logs:
        assert speaking.to(AMINA) == ("en", "ar")
    (entry,) = logs
    assert entry["event"] == "language.crashed"
    assert "amina" not in str(entry)
    if "System" not in fails:
        assert entry["place"] == "rules.py:5"


def test_a_rule_that_takes_too_long_leaves_the_default(hanging: Speaking) -> None:
    with capture_logs() as logs:
        assert hanging.to(AMINA) == ("en", "ar")
    assert [entry["event"] for entry in logs] == ["language.crashed"]


def test_a_rule_is_declared_once(rules: Rules) -> None:
    with pytest.raises(InvalidRules, match=r"rules\.py, line \d+: @language is declared twice"):
        rules(BY_NUMBER + BY_NUMBER)


def test_a_rule_belongs_into_rules_py() -> None:
    with pytest.raises(InvalidRules, match=r"belongs into the rules\.py"):
        language(lambda _: None)


def test_addresses_are_not_in_the_repr_of_a_recipient() -> None:
    assert "amina@" not in repr(AMINA)
    assert "243977" not in repr(AMINA)
