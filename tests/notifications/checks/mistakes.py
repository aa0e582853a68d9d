"""Mistakes that people make in a country's directory, with what must be said of each."""

from __future__ import annotations

from dataclasses import dataclass

from app.notifications.checks.problems import Severity
from tests.notifications.checks.conftest import Files

CSV = "translations/ours.csv"
MAIL = "templates/email/2fa.html"
LOOK = "templates/email/look.toml"
SMS = "authenticationCodeNotification"
SIMPLE = '{% extends "layout.html" %}{% block content %}{{ code }}{% endblock %}'
PNG = b"\x89PNG\r\n\x1a\n"
RIGHT_QUOTE, NARROW_SPACE = "\u2019", "\u202f"
ERROR, WARNING = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True)
class Mistake:
    """`what` and `cure` are some of the words; `file` is relative to the directory."""

    files: Files
    file: str
    row: int | None
    what: str
    cure: str
    severity: Severity = ERROR


def text(content: str, text_id: str = "2fa.intro", language: str = "en") -> Files:
    """A country that changes one cell; it stands in row 2."""
    return {CSV: f'id,description,{language}\n{text_id},,"{content}"\n'}


def mail(content: str) -> Files:
    """A country with a template of its own for the message 2fa; the content stands in line 4."""
    return {MAIL: f'{{% extends "layout.html" %}}\n{{% block content %}}\n{{{{ code }}}}\n{content}\n{{% endblock %}}'}


def _table(content: str | bytes, row: int, what: str, cure: str) -> Mistake:
    return Mistake({CSV: content}, CSV, row, what, cure)


def _cell(content: str, what: str, cure: str, text_id: str = "2fa.intro", language: str = "en") -> Mistake:
    return Mistake(text(content, text_id, language), CSV, 2, what, cure)


def _odd(content: str, what: str, cure: str, text_id: str = SMS, language: str = "en", row: int = 2) -> Mistake:
    return Mistake(text(content, text_id, language), CSV, row, what, cure, WARNING)


def _template(content: str, row: int | None, what: str, cure: str) -> Mistake:
    return Mistake({MAIL: content}, MAIL, row, what, cure)


def _mail(content: str, row: int | None, what: str, cure: str) -> Mistake:
    return Mistake(mail(content), MAIL, row, what, cure)


def _look(content: str, row: int | None, what: str, cure: str) -> Mistake:
    return Mistake({LOOK: content}, LOOK, row, what, cure)


def _file(name: str, content: str | bytes, what: str, cure: str, severity: Severity = WARNING) -> Mistake:
    return Mistake({name: content}, name, None, what, cure, severity)


TABLES = {
    "latin-1": _table(
        "id,fr\n2fa.title,Code\n2fa.intro,Clé\n".encode("latin-1"),
        3,
        "not UTF-8",
        "as CSV UTF-8; nothing of it was read",
    ),
    "utf-16": _table("id,en\n2fa.title,Code\n".encode("utf-16"), 1, "not UTF-8", "as CSV UTF-8"),
    "an-empty-file": _table("", 1, "no column is called `id`", "mend the first row"),
    "no-language": _table("id,description\n2fa.title,Code\n", 1, "no column is a language", "mend the first row"),
    "a-row-twice": _table("id,en\n2fa.title,A\n2fa.title,B\n", 3, "'2fa.title' is there twice", "mend this row"),
    "an-empty-id": _table("id,en\n2fa.title,A\n,B\n", 3, "under `id` is empty", "rows from here on were not read"),
    "a-comma-without-quotes": _table("id,en\n2fa.title,Hello, you\n", 2, "more cells than columns", "mend this row"),
    "a-quotation-mark-alone": _table('id,en\n2fa.title,"Code\n', 2, 'quotation mark (")', "is written twice"),
    "quotes-within-quotes": _table('id,en\n2fa.title,"The "code""\n', 2, 'quotation mark (")', "is written twice"),
    "a-copy-of-a-file": Mistake(
        {CSV: "id,en\n2fa.title,A\n", "translations/ours copy.csv": "id,en\n2fa.title,B\n"},
        *(CSV, 2, "2fa.title is in ours copy.csv too, and this one counts", "in one file only", WARNING),
    ),
    "a-spreadsheet": _file("translations/ours.xlsx", b"PK", "no text of it is used", "save it as CSV UTF-8"),
    "a-table-beside-its-directory": Mistake(
        {"ours.csv": "id,en\n2fa.title,A\n", CSV: "id,en\n2fa.title,A\n"},
        *("ours.csv", None, "nothing looks here", "put it into translations", WARNING),
    ),
    "tags-in-a-subject": Mistake(
        {CSV: "id,en\n2fa.subject,<b>Code</b> &amp; more\n"},
        *(CSV, 2, "has <b> in it, which is shown as it stands", "write it as plain text", WARNING),
    ),
    "a-script": _table(
        'id,en\n2fa.intro,"<a href=""javascript:x()"">here</a>"\n', 2, "has javascript: in it", "programs for mail"
    ),
    "a-mistyped-id": _odd("A", "no message uses the text 2fa.titel", "did you mean 2fa.title?", "2fa.titel"),
    "an-id-of-nothing": _odd("A", "no message uses the text qqqq", "is its id right?", "qqqq"),
    "a-language-in-capitals": _odd(
        "A", "the column 'EN' is taken for a language", "call it en", "2fa.title", "EN", row=1
    ),
    "a-language-in-words": _odd(
        "A", "the column 'French' is taken", "call it by its code", "2fa.title", "French", row=1
    ),
}
BRANCHES = {
    "a-variable-where-no-sample-comes": _mail(
        "{% if not firstname %}{{ qqqq }}{% endif %}", 4, "2fa has no variable qqqq", "it has applicationName,"
    ),
    "a-text-where-no-sample-comes": _mail(
        '{% if not firstname %}{{ t("2fa.titel") }}{% endif %}',
        4,
        "no text 2fa.titel",
        "did you mean 2fa.title?",
    ),
    "a-variable-in-what-is-included": Mistake(
        {**mail('{% include "more.html" %}'), "templates/email/more.html": "{% if not name %}{{ nmae }}{% endif %}"},
        *("templates/email/more.html", 1, "2fa has no variable nmae", "did you mean name?"),
    ),
    "what-a-value-lacks-when-it-is-empty": _mail(
        "{{ firstname[0].upper() }}", 4, "str object has no element 0", "mend what this line does"
    ),
    "a-value-taken-for-html": _mail("{{ firstname|safe }}", None, "stands in firstname for HTML", "without |safe"),
}
CELLS = {
    "a-mistyped-variable": _cell("It is {{cdoe}}", "2fa.intro in en: there is no variable {{cdoe}}", "mean code?"),
    "a-translated-variable": _cell(
        "{{prénom}}", "no variable {{prénom}}", "the other languages have {{firstname}}", "layout.greeting", "fr"
    ),
    "a-variable-of-another-message": _cell(
        "{{trackingId}}", "2fa has no variable {{trackingId}}", "it has applicationName, authCode,", "2fa.subject"
    ),
    "single-braces": _cell("It is {code}", "“{code}” is no placeholder", "write {{code}}"),
    "full-width-braces": _cell("\uff5b\uff5bcode\uff5d\uff5d", "code\uff5d\uff5d” is no placeholder", "write {{code}}"),
    "braces-with-a-gap": _cell("It is { {code} }", "“{ {code} }” is no placeholder", "write {{code}}"),
    "an-unclosed-brace": _cell("It is {{code. Bye", "“{{code. Bye” is no placeholder", "write {{code}}"),
    "three-braces-and-two": _cell("It is {{{code}}", "“{” is no placeholder", "write {{"),
    "an-unknown-variable-in-three-braces": _cell("It is {{{cdoe}}}", "no variable {{cdoe}}", "mean code?"),
    "an-unopened-brace": _cell("It is code}}. Bye", "“code}}” is no placeholder", "write {{code}}"),
    "bold-without-an-end": _cell("<b>Enter it", "<b> is never closed", "mend the HTML of this text"),
    "a-tag-without-an-end": _cell("Enter <b it", "“<b it” never ends", "mend the HTML of this text"),
    "a-picture-without-a-text": _cell("<img src='x'>", "<img> has no alt", "mend the HTML of this text"),
    "a-formula": _cell("#NAME?", "2fa.intro in en is #NAME?", "took the text for a formula"),
    "a-lost-code": _cell("Entrez-le.", f"{SMS} in fr does not say {{{{code}}}}", "put {{code}} into it", SMS, "fr"),
    "garbled-letters": _odd("Voici la clÃ© :", "“oici la clÃ© :”", "something else than UTF-8", "2fa.intro"),
    "a-lost-number": _odd(
        "Fait.", "does not say {{trackingId}}, which en", "on purpose?", "birth-registered.subject", "fr"
    ),
    "a-long-subject": _odd("A" * 79, "2fa.subject in en may have 79 characters", "beyond 78", "2fa.subject"),
    "a-long-sms": _odd(
        "{{code}}" + "x" * 155, "costs 2 SMS (161 characters, GSM-7)", "1 character shorter: one SMS has room for 160"
    ),
    "a-typographic-apostrophe": _odd(
        f"{{{{code}}}} c{RIGHT_QUOTE}est" + "x" * 70,
        "costs 2 SMS (82 characters, UCS-2)",
        f"replace {RIGHT_QUOTE} by '",
    ),
    "an-invisible-space": _odd(
        f"{{{{code}}}}{NARROW_SPACE}:" + "x" * 70, "costs 2 SMS", "replace narrow no-break space by space"
    ),
    "a-letter-that-costs": _odd(
        "{{code}} não" + "x" * 70, "costs 2 SMS", "one SMS has room for 70, since there is ã in it", language="pt"
    ),
}
TEMPLATES = {
    "an-unclosed-block": _template(
        '{% extends "layout.html" %}\n{% block content %}', 2, "Unexpected end of template", "opened and not closed"
    ),
    "a-half-written-expression": _mail("{{ code }", 4, "cannot be understood", "opened and not closed"),
    "an-undefined-variable": _mail("{{ frstname }}", 4, "2fa has no variable frstname", "did you mean firstname?"),
    "another-messages-variable": _mail(
        "{{ trackingId }}", 4, "2fa has no variable trackingId", "it has applicationName"
    ),
    "no-such-text": _mail('{{ t("2fa.itro") }}', 4, "there is no text 2fa.itro", "did you mean 2fa.intro?"),
    "no-such-template": _template(
        '{% extends "layuot.html" %}', 1, "there is no template layuot.html", "did you mean layout.html?"
    ),
    "a-layout-that-extends-itself": Mistake(
        {"templates/email/layout.html": '{% extends "layout.html" %}'},
        *("templates/email/layout.html", 1, "comes back to itself", 'write {% extends "default/layout.html" %}'),
    ),
    "a-template-in-latin-1": Mistake(
        {MAIL: f"\n{SIMPLE}é".encode("latin-1")}, MAIL, 2, "is not UTF-8", "save it as UTF-8"
    ),
    "a-template-that-fails": _mail("{{ 1 / 0 }}", 4, "stops with ZeroDivisionError", "mend what this line does"),
    "a-template-without-the-code": _template(
        '{% extends "layout.html" %}', None, "2fa in fr does not say {{code}}", "put {{code}} into it"
    ),
    "an-unclosed-tag": _mail("<i>Bye", None, "<i> is not closed before </td>", "mend it here, or in what it extends"),
    "a-picture-in-a-template": _mail('<img src="x">', None, "<img> has no alt", "mend it here, or in what it extends"),
    "pale-text-in-a-template": _mail(
        '<p style="color: #aaaaaa">Bye</p>',
        None,
        "“Bye” is hard to read: #aaaaaa on #ffffff has a contrast of 2.3",
        "note",
    ),
    "dark-text-in-a-template": _mail(
        '<p style="color: #222222">Bye</p>',
        None,
        "“Bye” is hard to read in dark mode: #222222 on #18212c",
        "both modes",
    ),
}
LOOKS = {
    "pale-text": _look(
        '[light]\ntext = "#bbbbbb"',
        None,
        "[light] text #bbbbbb is hard to read on card #ffffff (1.9) and box",
        'text = "#707070" can be read there',
    ),
    "dark-text-at-night": _look(
        '[dark]\nquiet = "#303030"', None, "[dark] quiet #303030 is hard to read on card", 'quiet = "#'
    ),
    "a-grey-card": _look(
        '[light]\ncard = "#808080"', None, "text #1c2733 is hard to read on card #808080", "can be read"
    ),
    "an-unknown-colour": _look('[light]\n\naccnt = "#112233"', 3, "has accnt in [light]", "did you mean accent?"),
    "a-colour-without-#": _look('[dark]\ntext = "eeeeee"', 2, "'eeeeee' for text in [dark]", '"#17365d"'),
    "a-colour-in-words": _look('[light]\nband = "navy"', 2, "'navy' for band in [light]", '"#17365d"'),
    "a-colour-without-quotes": _look("[light]\nband = #112233", 2, "cannot be understood", 'text = "#17365d"'),
    "a-colour-in-no-palette": _look('text = "#112233"', 1, "has text outside", "put it below [light] or [dark]"),
    "a-third-palette": _look('[light]\n[night]\ntext = "#112233"', 2, "has night outside", "below [light] or [dark]"),
}
FILES = {
    "a-mistyped-template": _file(
        "templates/email/user-crated.html", "x", "no message uses this file", "did you mean user-created.html?"
    ),
    "a-template-of-no-language": _file(
        "templates/email/2fa.swa.html", SIMPLE, "is for the language swa, in which there is no text", "there are"
    ),
    "a-template-too-high": _file("templates/2fa.html", "x", "nothing looks here", "move it into templates/email"),
    "a-mistyped-directory": _file("translation", "", "nothing looks here", "did you mean translations?"),
    "a-drawing-called-png": _file("templates/email/logo.png", "<svg/>", "is no PNG picture", "save it as PNG", ERROR),
    "a-logo-of-5-mb": _file(
        "templates/email/logo.png", PNG + bytes(5_000_000), "has 5,000 kB", "make it smaller, 200 kB at most", ERROR
    ),
    "a-logo-that-is-not-shown": _file(
        "templates/email/logo.svg", "<svg/>", "no message shows this picture", "the logo is called logo.png or"
    ),
    "another-directory": Mistake({"notes.txt": ""}, "", None, "has none of templates", "of a country?", WARNING),
}
ALL = TABLES | BRANCHES | CELLS | TEMPLATES | LOOKS | FILES
