"""`country-config messages import` takes over what it understands, and says what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import commands

PAGE = (
    "<html><body>\n{{! of old }}\n<p>Dear {{firstNames}},</p>\n{{#if code}}\n<b>{{authCode}}</b>\n{{/if}}\n"
    "</body></html>\n"
)
NEWS = "<html><body><p>{{informantName}}: {{trackingId}} {{registrationNumber}} {{{crvsOffice}}}</p></body></html>"
CSV = "id,description,en,fr\nbirthRegistrationNotification,,Registered: {{name}} {{registrationNumber}},Acte {{name}}\n"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A country configuration as it lies in a repository."""
    root = tmp_path / "countryconfig"
    emails = root / "src" / "api" / "notification" / "email-templates"
    for name, text in {
        "birth/inProgress": NEWS,
        "birth/inReview": NEWS,
        "birth/registration": NEWS,
        "birth/rejection": NEWS,
        "death/registration": NEWS,
        "marriage/registration": NEWS,
        "other/2-factor-authentication": PAGE,
        "other/correction-approved": "<p>{{firstNames}} {{lastName}} {{event}} {{trackingId}}</p>",
    }.items():
        put(emails / f"{name}.html", text)
    put(root / "src" / "translations" / "notification.csv", CSV)
    put(root / "node_modules" / "x" / "birth" / "registration.html", "not theirs")
    return root


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["messages", *map(str, arguments)])


def test_all_is_taken_over_and_can_be_used(theirs: Path, tmp_path: Path) -> None:
    into = tmp_path / "zambia"
    result = run("import", theirs, "--into", into)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (into / "templates" / "email").iterdir()) == [
        "2fa.html",
        "birth-in-progress.html",
        "birth-in-review.html",
        "birth-registered.html",
        "birth-rejected.html",
        "correction-approved.html",
        "death-registered.html",
        "marriage-registered.html",
    ]
    assert (into / "translations" / "notification.csv").read_text(encoding="utf-8") == CSV
    assert "9 written, 0 as it was, 0 left out" in result.output
    checked = run("check", into)
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize("part", ["src/api/notification", "src/api/notification/email-templates"])
def test_any_folder_around_them_will_do(theirs: Path, tmp_path: Path, part: str) -> None:
    result = run("import", theirs / part, "--into", tmp_path / "zambia")
    assert "8 written, 0 as it was, 0 left out" in result.output


def test_one_folder_alone_will_do(theirs: Path, tmp_path: Path) -> None:
    result = run("import", theirs / "src/api/notification/email-templates/birth", "--into", tmp_path / "zambia")
    assert "4 written, 0 as it was, 0 left out" in result.output


def test_a_file_with_a_problem_is_left_out_and_the_others_are_not(theirs: Path, tmp_path: Path) -> None:
    put(theirs / "src/api/notification/email-templates/birth/rejection.html", "<p>\n{{> footer}}\n{{nmae}}</p>")
    put(theirs / "src/api/notification/email-templates/other/newsletter.html", "<p></p>")
    put(theirs / "src/translations/notification.csv", "id,en\nbirthRegistrationNotification,{{#if name}}x{{/if}}\n")
    result = run("import", theirs, "--into", tmp_path / "zambia")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "left out birth/rejection.html 2 1 {{> footer}}" in said
    assert "left out birth/rejection.html 3 1 this message has no variable {{nmae}}" in said
    assert "left out other/newsletter.html no message has a template of this name" in said
    assert "left out notification.csv 2 birthRegistrationNotification in en: {{#if name}} is not known" in said
    assert not (tmp_path / "zambia/templates/email/birth-rejected.html").exists()
    assert not (tmp_path / "zambia/translations").exists()
    assert (tmp_path / "zambia/templates/email/birth-registered.html").exists()


def test_what_is_there_is_not_replaced_unless_told_to(theirs: Path, tmp_path: Path) -> None:
    mine = tmp_path / "zambia" / "templates" / "email" / "2fa.html"
    put(mine, "mine")
    assert "there is another 2fa.html already" in run("import", theirs, "--into", tmp_path / "zambia").output
    assert mine.read_text() == "mine"
    assert run("import", theirs, "--into", tmp_path / "zambia", "--force").exit_code == 0
    assert "authCode" in mine.read_text()
    assert run("import", theirs, "--into", tmp_path / "zambia").exit_code == 0


def test_where_there_is_nothing_it_says_what_it_looks_for(tmp_path: Path) -> None:
    result = run("import", tmp_path, "--into", tmp_path / "zambia")
    assert result.exit_code == 1
    assert "neither e-mail templates (directories birth, death, marriage, other" in result.output


def test_it_wants_to_know_where_to(theirs: Path) -> None:
    result = run("import", theirs)
    assert result.exit_code == 2
    assert "--into" in result.output
