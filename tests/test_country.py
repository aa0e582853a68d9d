"""What a country declares in its rules.py, and what it is told when that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.country import Country, InvalidRules, fields, load, trigger


def written(directory: Path, rules: str) -> Path:
    (directory / "rules.py").write_text(rules, encoding="utf-8")
    return directory


def test_without_a_directory_a_country_declares_nothing() -> None:
    assert load(None) == Country()


def test_a_directory_need_not_have_rules(tmp_path: Path) -> None:
    assert load(tmp_path) == Country(tmp_path, {})


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRules, match=f"COUNTRY_DIR is {tmp_path / 'nowhere'}"):
        load(tmp_path / "nowhere")


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidRules, match="not a directory"):
        load(tmp_path / "file")


def test_triggers_are_declared_with_two_and_three_segments(tmp_path: Path) -> None:
    country = load(
        written(
            tmp_path,
            "from app.country import fields, trigger\n"
            "text = fields.String(required=True)\n"
            'trigger("hospital/discharge", fields={"ward": text}, message="hospital-discharge")\n'
            'trigger("hospital/birth/notice-2", fields={"w": text, "pin": text}, message="notice", secrets=["pin"])\n',
        )
    )
    assert country.directory == tmp_path
    discharge, notice = country.triggers.values()
    assert (discharge.path, discharge.message, discharge.secrets) == ("hospital/discharge", "hospital-discharge", ())
    assert (notice.path, list(notice.fields), notice.secrets) == ("hospital/birth/notice-2", ["w", "pin"], ("pin",))
    assert isinstance(discharge.fields["ward"], fields.String)


def test_each_load_starts_anew(tmp_path: Path) -> None:
    written(tmp_path, 'from app.country import trigger\ntrigger("a/b", fields={}, message="m")\n')
    assert load(tmp_path) == load(tmp_path)


CALL = 'trigger("{path}", fields={{{fields}}}, message="{message}", secrets={secrets})\n'
GOOD = {"path": "hospital/discharge", "fields": "", "message": "discharge", "secrets": "()"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"path": "hospital"}, "resource/action"),
        ({"path": ""}, "resource/action"),
        ({"path": "a/b/c/d"}, "resource/action"),
        ({"path": "/hospital/discharge"}, "resource/action"),
        ({"path": "hospital/discharge/"}, "resource/action"),
        ({"path": "Hospital/discharge"}, "small letters"),
        ({"path": "hospital/../discharge"}, "small letters"),
        ({"path": "hospital/discharge\\n"}, "small letters"),
        ({"path": "user/2fa"}, "does not start with user/"),
        ({"path": "user/goodbye"}, "does not start with user/"),
        ({"path": "events/birth/declare"}, "does not start with"),
        ({"path": "system/ready"}, "does not start with"),
        ({"message": "../secrets"}, "a message's name"),
        ({"message": ""}, "a message's name"),
        ({"message": "Discharge"}, "a message's name"),
        ({"fields": '"recipient": fields.String()'}, "recipient is always there"),
        ({"secrets": '["pin"]'}, "secrets names fields that are declared"),
        ({"fields": '"ward": "text"'}, "fields.String()"),
        ({"fields": '"ward": fields.String'}, "fields.String()"),
    ],
)
def test_a_declaration_that_cannot_be_used_is_told_with_file_and_line(
    tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    written(tmp_path, "from app.country import fields, trigger\n\n" + CALL.format_map(GOOD | wrong))
    with pytest.raises(InvalidRules) as raised:
        load(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / 'rules.py'}, line 3: trigger(")
    assert said in str(raised.value)


def test_a_trigger_cannot_be_declared_twice(tmp_path: Path) -> None:
    written(tmp_path, "from app.country import trigger\n" + CALL.format_map(GOOD) + "\n" + CALL.format_map(GOOD))
    with pytest.raises(InvalidRules, match=r"rules\.py, line 4: .* is declared twice"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("x = 1\nif x\n    pass\n", r"rules\.py, line 2: SyntaxError: "),
        ("def f():\n    return 1 / 0\n\nf()\n", r"rules\.py, line 2: ZeroDivisionError: "),
        ("\nimport no_such_module\n", r"rules\.py, line 2: ModuleNotFoundError: .*no_such_module"),
        ("from app.country import no_such_thing\n", r"rules\.py, line 1: ImportError: "),
        ("from app.country import trigger\ntrigger('a/b')\n", r"rules\.py, line 2: TypeError: "),
        ("import json\n\njson.loads('[')\n", r"rules\.py, line 3: JSONDecodeError: "),
        ("x = 1\n\0", r"rules\.py, line 0: "),
    ],
    ids=["syntax error", "crash in a function", "no module", "no name", "no arguments", "error with a line", "NUL"],
)
def test_rules_that_do_not_run_are_told_with_file_and_line(tmp_path: Path, rules: str, said: str) -> None:
    with pytest.raises(InvalidRules, match=said):
        load(written(tmp_path, rules))


def test_after_a_failure_the_next_load_works(tmp_path: Path) -> None:
    with pytest.raises(InvalidRules):
        load(written(tmp_path, "1 / 0\n"))
    assert load(written(tmp_path, "")).triggers == {}


def test_trigger_belongs_into_rules() -> None:
    with pytest.raises(InvalidRules, match=r"rules\.py of a COUNTRY_DIR"):
        trigger("a/b", fields={}, message="m")
