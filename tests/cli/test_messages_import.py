"""`country-config messages import`: the messages of a country configuration in TypeScript."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import commands
from app.country import Country
from app.notifications.catalogue import Message
from app.notifications.import_sources import FOLDERS, message_of
from app.notifications.importing import known_variables
from app.notifications.render import ALWAYS
from app.notifications.sample import Sample
from app.notifications.translations import load
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import samples
from tests.notifications.rendering import renderer

Run = Callable[..., Result]

TEMPLATES = "src/api/notification/email-templates"
WORDING = "src/translations/notification.csv"
TO_USER = """<!DOCTYPE html>
<html>
<head>
  {{!-- The look --}}
  <style>p { color: #222; }</style>
</head>
<body>
  <img src="{{countryLogo}}" alt="Coat of arms">
  <p>Dear {{firstNames}},</p>
  {{#if VARIABLE}}
  <p>Here it is: <b>{{VARIABLE}}</b></p>
  {{else}}
  <p>There is none.</p>
  {{/if}}
  <p>{{applicationName}}</p>
</body>
</html>
"""
TO_INFORMANT = "<p>{{informantName}}, {{name}}: {{trackingId}} {{registrationNumber}} at {{crvsOffice}}</p>\n"
CSV = (
    "id,description,en,fr\r\n"
    'birthRegistrationNotification,Registered,"{{name}}, {{ trackingId }}","{{name}} : {{trackingId}}"\r\n'
    "resetUserPasswordNotification,Old,Use {{password}},\r\n"
)
USERS = {  # one variable of each, as old and as new projects call it
    "username-updated": "username",
    "username-reminder": "username",
    "password-reset": "authCode",
    "password-reset-by-system-admin": "password",
    "2-factor-authentication": "authCode",
    "change-phone-number": "authCode",
    "change-email-address": "code",
    "password-reset-link": "recoveryURL",
    "username-reminder-link": "recoveryURL",
}


class Project:
    """A country configuration in TypeScript."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, variable in USERS.items():
            self.write(f"{TEMPLATES}/other/{name}.html", TO_USER.replace("VARIABLE", variable))
        for name in ("onboarding-invite", "resend-invite"):
            self.write(f"{TEMPLATES}/other/{name}.html", "<p>{{username}}, {{password}}: {{completeSetupUrl}}</p>\n")
        for family in ("birth", "death", "marriage"):
            for name in ("inProgress", "inReview", "registration", "rejection"):
                self.write(f"{TEMPLATES}/{family}/{name}.html", TO_INFORMANT)
        self.write(f"{TEMPLATES}/other/all-user-notification.html", "<h1>{{subject}}</h1>\n<p>{{{body}}}</p>\n")
        self.write(f"{TEMPLATES}/other/correction-approved.html", "<p>{{firstNames}} {{lastName}}: {{event}}</p>\n")
        self.write(f"{TEMPLATES}/other/correction-rejected.html", "<p>{{trackingId}}: {{reason}}</p>\n")
        self.write(WORDING, CSV)

    def write(self, name: str, content: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "countryconfig")


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """The country's directory, which is not there yet."""
    return tmp_path / "zambia"


@pytest.fixture
def run(into: Path) -> Run:
    """Run the command with these arguments; without --into, DIR is that of the settings."""

    def invoke(*arguments: object, country_dir: str = str(into)) -> Result:
        given = ["messages", "import", *map(str, arguments)]
        return CliRunner().invoke(commands, given, env={"COUNTRY_DIR": country_dir})

    return invoke


def written(into: Path) -> set[str]:
    return {str(path.relative_to(into)) for path in into.rglob("*") if path.is_file()}


def lines(result: Result, word: str) -> list[str]:
    return [" ".join(line.split()) for line in result.output.splitlines() if line.startswith(word)]


def test_a_whole_project_is_taken_over(project: Project, run: Run, into: Path) -> None:
    result = run(project.root)
    assert result.exit_code == 0, result.output
    users = {"user-created", "resend-invite", "user-updated", "username-reminder", "reset-password", "2fa"}
    users |= {"password-reset-link", "username-reminder-link"}
    users |= {"reset-password-by-admin", "change-phone-number", "change-email-address", "all-user-notification"}
    news = ("in-progress", "in-review", "registered", "rejected")
    informants = {f"{family}-{one}" for family in ("birth", "death", "marriage") for one in news}
    names = users | informants | {"correction-approved", "correction-rejected"}
    assert written(into) == {f"templates/email/{name}.html" for name in names} | {"translations/notification.csv"}
    assert (into / "translations/notification.csv").read_bytes() == CSV.encode()
    assert "27 written, 0 as it was, 0 left out" in result.output


def test_every_message_can_be_made_with_what_was_taken_over(project: Project, run: Run, into: Path) -> None:
    assert run(project.root).exit_code == 0
    check = CliRunner().invoke(commands, ["messages", "check", str(into)])
    assert check.exit_code == 0, check.output
    theirs = renderer(into / "templates" / "email")
    made = {
        sample.message.name: theirs.email(sample.message.name, sample.variables, "en").text
        for sample in samples(trigger_types(Country()).values())
    }
    assert made["2fa"].split("\n")[0] == "Dear Amina,"
    assert "Here it is: 730164" in made["2fa"]
    for name in ("password-reset-link", "username-reminder-link"):
        assert "Here it is: https://login.registry.test/recover?token=" in made[name]
    assert made["birth-registered"].startswith("Amina Bwalya Mwale, Chanda Natasha Mwale: B7K3QX 2026-LSK-000123-7 at")
    assert made["death-correction-rejected"].startswith("B7K3QX: The document")
    assert made["marriage-correction-approved"] == "Amina Bwalya Mwale: marriage\n"


def test_every_name_leads_to_a_message_that_there_is() -> None:
    names = ["inProgress", "inReview", "registration", "rejection", *USERS, "all-user-notification"]
    names += ["onboarding-invite", "resend-invite", "correction-approved", "correction-rejected"]
    there = {
        name for one in samples(trigger_types(Country()).values()) for name in (one.message.name, *one.message.shared)
    }
    found = {message_of(Path(folder) / f"{name}.html") for folder in FOLDERS for name in names}
    assert found - {None} <= there


@pytest.mark.parametrize(
    ("source", "files"),
    [
        (TEMPLATES, 26),
        ("src/api/notification", 26),
        (f"{TEMPLATES}/birth", 4),
        (f"{TEMPLATES}/birth/../death", 4),
        ("src/translations", 1),
        ("src", 27),
    ],
)
def test_any_of_its_directories_will_do(source: str, files: int, project: Project, run: Run, into: Path) -> None:
    result = run(project.root / source)
    assert result.exit_code == 0, result.output
    assert len(written(into)) == files


def test_it_says_what_it_found(project: Project, run: Run) -> None:
    output = run(project.root / TEMPLATES).output
    assert "E-mail templates: 26 in " in output
    assert f"{TEMPLATES}\n" in output
    assert "Texts of SMS: none below" in output


def test_copies_that_were_built_are_not_looked_at(project: Project, run: Run) -> None:
    for copy in ("node_modules/x", "build", "dist", ".git/x"):
        project.write(f"{copy}/email-templates/birth/inProgress.html", "built")
        project.write(f"{copy}/translations/notification.csv", "built")
    assert run(project.root).exit_code == 0


def test_where_there_are_several_it_asks_for_one(project: Project, run: Run, into: Path) -> None:
    project.write("old/email-templates/birth/inProgress.html", "old")
    result = run(project.root)
    assert result.exit_code == 1
    assert "Several directories could be meant. Give the one that is:" in result.output
    assert "old/email-templates\n" in result.output
    assert not into.exists()


def test_of_several_it_takes_the_one_where_it_usually_is(project: Project, run: Run) -> None:
    project.write("old/mails/birth/inProgress.html", "old")
    project.write("old/notification.csv", "old")
    result = run(project.root)
    assert result.exit_code == 0, result.output
    assert f"{TEMPLATES}\n" in result.output


def test_a_template_that_messages_share_has_the_variables_that_all_of_them_have() -> None:
    one, other = (Message(name, None, shared=("both",)) for name in ("one", "other"))
    known = known_variables([Sample(one, {"a": "", "b": ""}), Sample(other, {"b": "", "c": ""})])
    assert [sorted(known[name] - ALWAYS) for name in ("one", "other", "both")] == [["a", "b"], ["b", "c"], ["b"]]


def test_where_there_is_nothing_it_says_what_it_looked_for(tmp_path: Path, run: Run, into: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty")
    assert result.exit_code == 1
    assert "found neither e-mail templates (directories birth, death, marriage, other" in result.output
    assert not into.exists()


def test_a_directory_of_its_own_goes_before_that_of_the_settings(project: Project, run: Run, tmp_path: Path) -> None:
    assert run(project.root / "src/translations", "--into", tmp_path / "other").exit_code == 0
    assert written(tmp_path / "other") == {"translations/notification.csv"}


def test_it_asks_where_to(project: Project, run: Run) -> None:
    result = run(project.root, country_dir="")
    assert result.exit_code == 2
    assert "COUNTRY_DIR" in result.output


def test_what_messages_do_not_know_is_told_with_its_place_and_that_file_is_left_out(
    project: Project, run: Run, into: Path
) -> None:
    project.write(f"{TEMPLATES}/birth/inReview.html", "<p>\n  Dear {{formatName informantName}},\n{{> footer}}</p>")
    project.write(f"{TEMPLATES}/marriage/inReview.html", "<p>{{groomName}}</p>")
    project.write(f"{TEMPLATES}/other/username-reminder.html", "Hello {{firstName}}")
    result = run(project.root)
    assert result.exit_code == 1
    assert "24 written, 0 as it was, 3 left out" in result.output
    left = lines(result, "left out")
    assert left[0].startswith("left out birth/inReview.html 2 8 {{formatName informantName}} is a helper")
    assert left[1].startswith("left out birth/inReview.html 3 1 {{> footer}} takes in another file")
    assert left[2].startswith("left out marriage/inReview.html 1 4 this message has no variable {{groomName}}")
    assert left[3].endswith("this message has no variable {{firstName}} did you mean {{firstname}}?")
    assert len(left) == 4
    assert not {"birth-in-review", "marriage-in-review", "username-reminder"} & {
        one.stem for one in into.rglob("*.html")
    }


def test_a_variable_of_another_message_is_unknown(project: Project, run: Run) -> None:
    project.write(f"{TEMPLATES}/birth/inReview.html", "{{username}}")
    project.write(f"{TEMPLATES}/other/correction-approved.html", "{{authCode}}")
    assert len(lines(run(project.root), "left out")) == 2


def test_what_is_escaped_here_and_was_not_there_is_noted(project: Project, run: Run, into: Path) -> None:
    (note,) = lines(run(project.root), "note")
    assert note.startswith("note other/all-user-notification.html 2 4 {{{body}}} became {{ body }}")
    assert "<p>{{ body }}</p>" in (into / "templates/email/all-user-notification.html").read_text()


@pytest.mark.parametrize(
    "name", ["birth/revocation.html", "other/password-reset-by-sms.html", "adoption/inReview.html"]
)
def test_a_template_of_no_message_is_told_of(name: str, project: Project, run: Run) -> None:
    project.write(f"{TEMPLATES}/{name}", "<p>")
    result = run(project.root)
    assert result.exit_code == 1
    assert lines(result, "left out")[0].startswith(f"left out {name} no message has a template of this name")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<p>\nCaf\xe9</p>", "2 this line is not UTF-8"),
        ("<p>{{code}}</p>".encode("utf-16-le"), "it is no text in UTF-8"),
    ],
)
def test_a_template_in_another_encoding_is_told_of(content: bytes, what: str, project: Project, run: Run) -> None:
    project.write(f"{TEMPLATES}/other/2-factor-authentication.html", content)
    (left,) = lines(run(project.root), "left out")
    assert left == f"left out other/2-factor-authentication.html {what} save the file as UTF-8"


def test_the_mark_of_an_editor_at_the_start_is_dropped(project: Project, run: Run, into: Path) -> None:
    project.write(f"{TEMPLATES}/other/2-factor-authentication.html", "\ufeff<p>{{code}}</p>")
    assert run(project.root).exit_code == 0
    assert (into / "templates/email/2fa.html").read_text(encoding="utf-8") == "<p>{{ code }}</p>"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{#if name}}x{{else}}y{{/if}}", "{{#if name}} is not known in texts"),
        ("{{! c }}{{name}}", "a comment is not known in texts"),
        ("{{name~}} x", "the ~ of {{name}} is not known in texts"),
        ("\\{{name}}", "\\{{ stands for braces"),
        ("{{> x}}", "{{> x}} takes in another file"),
        ("{{name", "“{{name” is never closed"),
        ("{{{authCode}}}", "this message has no variable {{authCode}}"),
        ("{{authCode}}", "this message has no variable {{authCode}}"),
    ],
)
def test_a_text_with_more_than_variables_in_it_is_told_of_by_its_row(
    text: str, what: str, project: Project, run: Run, into: Path
) -> None:
    project.write(WORDING, f"{CSV}birthRejectionNotification,,Fine,{text}\n")
    result = run(project.root)
    assert result.exit_code == 1
    (left,) = lines(result, "left out")
    assert left.startswith(f"left out notification.csv 4 birthRejectionNotification in fr: {what}")
    assert "translations/notification.csv" not in written(into)
    assert "26 written" in result.output


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("id|description|en\na|b|c\n", "1 no column is called `id`"),
        ('id,en\na,"x\n', "2 unexpected end of data"),
        (b"id,en\na,\xe9\n", "2 not UTF-8"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_told_of(content: str | bytes, what: str, project: Project, run: Run) -> None:
    project.write(WORDING, content)
    assert lines(run(project.root), "left out")[0].startswith(f"left out notification.csv {what}")


def test_texts_of_messages_that_there_are_not_go_along(project: Project, run: Run, into: Path) -> None:
    more = f"{CSV}revocationNotification,,{{{{trackingId}}}},\r\n"
    project.write(WORDING, more)
    result = run(project.root / "src/translations")
    assert result.exit_code == 0
    assert lines(result, "note") == ["note notification.csv no message uses revocationNotification they do no harm"]
    assert (into / "translations/notification.csv").read_bytes() == more.encode()


def test_the_texts_of_the_reference_for_recovery_links_are_taken_over_as_they_are(
    project: Project, run: Run, into: Path
) -> None:
    links = (
        "resetPasswordLinkNotification,,{{applicationName}}: new password: {{{recoveryURL}}},\r\n"
        "retrieveUsernameLinkNotification,,{{applicationName}}: username: {{{ recoveryURL }}},\r\n"
    )
    project.write(WORDING, f"{CSV}{links}")
    result = run(project.root / "src/translations")
    assert (result.exit_code, lines(result, "note")) == (0, [])
    check = CliRunner().invoke(commands, ["messages", "check", str(into)])
    assert check.exit_code == 0, check.output
    assert "recoveryURL" not in check.output
    words = load([into / "translations"])
    variables = {"applicationName": "Faraja", "recoveryURL": "https://l.test/recover?token=a%2B&b='"}
    assert words.filled("resetPasswordLinkNotification", "en", variables, escape=False) == (
        "Faraja: new password: https://l.test/recover?token=a%2B&b='"
    )


def test_what_is_there_is_never_written_over_unless_asked(project: Project, run: Run, into: Path) -> None:
    ours = into / "templates/email/2fa.html"
    ours.parent.mkdir(parents=True)
    ours.write_text("ours")
    result = run(project.root)
    assert result.exit_code == 1
    assert ours.read_text() == "ours"
    (left,) = lines(result, "left out")
    assert left.startswith("left out other/2-factor-authentication.html there is another 2fa.html already")
    assert run(project.root, "--force").exit_code == 0
    assert "{{ authCode }}" in ours.read_text()


def test_a_second_time_changes_nothing(project: Project, run: Run, into: Path) -> None:
    run(project.root)
    before = {path: path.stat().st_mtime_ns for path in into.rglob("*")}
    result = run(project.root)
    assert result.exit_code == 0
    assert "0 written, 27 as it was, 0 left out" in result.output
    assert {path: path.stat().st_mtime_ns for path in into.rglob("*")} == before


def test_where_one_file_cannot_be_written_the_others_are(project: Project, run: Run, into: Path) -> None:
    (into / "templates/email/2fa.html").mkdir(parents=True)
    result = run(project.root, "--force")
    assert result.exit_code == 1
    assert "2fa.html cannot be written: Is a directory" in result.output
    assert "26 written, 0 as it was, 1 left out" in result.output


def test_nothing_is_left_half_written(project: Project, run: Run, into: Path) -> None:
    run(project.root)
    assert not [name for name in written(into) if Path(name).name.startswith(".")]


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("usual_umask")
def test_the_server_may_read_what_was_written(project: Project, run: Run, into: Path) -> None:
    run(project.root)
    assert {stat.S_IMODE((into / name).stat().st_mode) for name in written(into)} == {0o644}


def test_it_says_what_remains_to_be_done(project: Project, run: Run) -> None:
    output = run(project.root).output
    assert "user-created.subject" in output
    assert "country-config messages preview" in output
