"""`country-config messages check`: a table of what is wrong, and an exit code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.message_checking import check
from app.settings import InvalidSettings

Run = Callable[..., Result]

RULES = """
from app.country import fields, trigger
trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")
"""
WORDING = 'id,en\nhospital-discharge.subject,Out\nhospital-discharge.sms,"From {{ward}}"\n'
TEMPLATE = '{% extends "layout.html" %}{% block content %}<p>{{ ward }}</p>{% endblock %}'
OWN_MESSAGE = {
    "rules.py": RULES,
    "translations/ours.csv": WORDING,
    "templates/email/hospital-discharge.html": TEMPLATE,
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Check a directory `zambia` with these files, from the directory that it is in."""
    monkeypatch.chdir(tmp_path)

    def invoke(files: Mapping[str, str], *arguments: str, **environ: str) -> Result:
        for name, content in files.items():
            path = tmp_path / "zambia" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return CliRunner().invoke(check, arguments, env={"DATABASE_URL": "no:such:thing", **environ})

    return invoke


def rows(result: Result) -> list[list[str]]:
    """The cells of the table, without its header and the line below it."""
    *table, _ = result.stdout.splitlines()
    return [re.split(r" {2,}", line) for line in table[1:]]


def test_our_own_messages_exit_0(run: Run) -> None:
    result = run({})
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("the shipped messages: 0 errors, ")
    assert result.stdout.endswith("required languages: en\n")


def test_a_country_with_a_message_of_its_own_exits_0(run: Run) -> None:
    result = run(OWN_MESSAGE, "zambia")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("zambia: 0 errors, ")
    assert "hospital-discharge" not in result.stdout


def test_errors_exit_1_and_come_first_with_file_row_what_and_how(run: Run) -> None:
    files = {"translations/ours.csv": "id,en\n2fa.title,{code}\n2fa.titel,Code\n"}
    result = run(files, "zambia")
    assert result.exit_code == 1
    assert result.stdout.split("\n")[0].split() == ["File", "Row", "What", "How", "to", "mend", "it"]
    first, second, *_ = rows(result)
    assert first == [
        "error",
        "zambia/translations/ours.csv",
        "2",
        "2fa.title in en: “{code}” is no placeholder",
        "write {{code}}: two braces, the name of a variable, two braces",
    ]
    assert second[:3] == ["warning", "zambia/translations/ours.csv", "3"]
    assert re.search(r"zambia: 1 error, \d+ warnings; required languages: en\n$", result.stdout)


def test_warnings_alone_exit_0(run: Run) -> None:
    result = run({"translations/ours.csv": "id,en\n2fa.titel,Code\n"}, "zambia")
    assert result.exit_code == 0
    assert "did you mean 2fa.title?" in result.stdout


def test_without_an_argument_it_is_country_dir(run: Run) -> None:
    files = {"translations/ours.csv": "id,en\n2fa.title,{code}\n"}
    assert run(files, COUNTRY_DIR="zambia").exit_code == 1
    assert run({}, COUNTRY_DIR="zambia").exit_code == 1
    assert run({}).exit_code == 0


def test_an_argument_goes_before_country_dir(run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert run({"translations/ours.csv": "id,en\n2fa.title,{code}\n"}, "other", COUNTRY_DIR="zambia").exit_code == 0


@pytest.mark.parametrize("channel", ["subject", "sms"])
def test_a_message_of_the_countrys_own_is_checked_by_every_channel(run: Run, channel: str) -> None:
    files = OWN_MESSAGE | {"translations/ours.csv": WORDING.replace(f".{channel}", ".other")}
    result = run(files, "zambia")
    assert result.exit_code == 1
    assert f"there is no text hospital-discharge.{channel}" in result.stdout


@pytest.mark.parametrize(
    ("rules", "row", "what"),
    [
        ("\n1 / 0", "2", "ZeroDivisionError: division by zero"),
        ("\n\nif:", "3", "SyntaxError"),
        ("import no_such_module", "1", "ModuleNotFoundError"),
        (RULES + RULES, "6", "trigger('hospital/discharge') is declared twice"),
        ("exit(0)", "", "ends the program"),
    ],
)
def test_rules_with_an_error_are_told_and_the_rest_is_checked(run: Run, rules: str, row: str, what: str) -> None:
    result = run({"rules.py": rules, "translations/ours.csv": "id,en\n2fa.title,{code}\n"}, "zambia")
    assert result.exit_code == 1
    (told,) = [line for line in rows(result) if line[1] == "zambia/rules.py"]
    assert what in result.stdout
    assert not row or told[2] == row
    assert "“{code}” is no placeholder" in result.stdout


def test_a_message_that_hides_one_of_cores_is_told(run: Run) -> None:
    result = run({"rules.py": RULES.replace('"hospital-discharge"', '"2fa"')}, "zambia")
    assert result.exit_code == 1
    assert "'2fa' is a message of core's, give yours another name" in result.stdout


def test_a_country_dir_that_is_not_there_is_told(run: Run) -> None:
    result = run({}, COUNTRY_DIR="nowhere")
    assert result.exit_code == 1
    assert "nowhere, which is not a directory" in result.stdout


def test_an_argument_that_is_not_there_is_refused(run: Run) -> None:
    result = run({}, "nowhere")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({"NOTIFICATION_LANGUAGES": "en,de"}, "NOTIFICATION_LANGUAGES has de, which is no column"),
        ({"DEFAULT_LANGUAGE": "de"}, "DEFAULT_LANGUAGE has de, which is no column"),
    ],
)
def test_a_language_that_is_not_there_is_told(run: Run, environ: dict[str, str], what: str) -> None:
    result = run({}, **environ)
    assert result.exit_code == 1
    assert what in result.stdout


def test_a_gap_in_a_required_language_is_told(run: Run) -> None:
    files = {"translations/ours.csv": "id,bem\n2fa.title,Kodi\n"}
    assert run(files, "zambia").exit_code == 0
    result = run({}, "zambia", NOTIFICATION_LANGUAGES="en,bem")
    assert result.exit_code == 1
    assert "2fa.intro has no text in bem" in result.stdout
    assert result.stdout.endswith("required languages: en, bem\n")


def test_only_settings_of_messages_are_looked_at(run: Run) -> None:
    assert run({}, SMTP_PORT="x", SECRET_KEY="x", APP_ENV="production").exit_code == 0
    assert isinstance(run({}, EMAIL_LOGO="x").exception, InvalidSettings)


def test_nothing_is_written(run: Run, tmp_path: Path) -> None:
    before = run(OWN_MESSAGE, "zambia", INSTANCE_DIR=str(tmp_path / "instance"))
    assert before.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["zambia"]
    assert {str(path.relative_to(tmp_path / "zambia")) for path in tmp_path.rglob("*") if path.is_file()} == set(
        OWN_MESSAGE
    )


def test_a_name_that_is_not_utf_8_can_be_shown(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "zambia" / "templates" / "email"
    directory.mkdir(parents=True)
    (Path(f"{directory}/caf\udce9.html")).write_text("x")
    result = run({}, "zambia")
    assert result.exit_code == 0
    assert "caf\ufffd.html" in result.stdout
