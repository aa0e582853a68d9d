"""`country-config rules check`: all that a country has declared."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from app.cli import commands


def test_what_is_kept_for_statistics_is_listed(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(
        "from functools import partial\nfrom app.country import analytics, birth_figures\n"
        "analytics('birth', fields=['child.dob', 'child.gender'], computed=birth_figures)\n"
        "analytics('death', computed=partial(birth_figures))\n"
    )
    checked = CliRunner().invoke(commands, ["rules", "check"], env={"APP_ENV": "test", "COUNTRY_DIR": str(tmp_path)})
    assert checked.exit_code == 0, checked.output
    listed = [" ".join(line.split()) for line in checked.stdout.splitlines()]
    assert "statistics birth 2 fields, birth_figures" in listed
    assert "statistics death fields of the configuration, a function" in listed
