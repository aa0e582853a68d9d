"""`country-config analytics`, as an operator runs it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app.analytics.reindexing import UNREADABLE
from app.analytics.store import AnalyticsStore
from tests.analytics.command.conftest import BIRTHS, Run, lines
from tests.analytics.conftest import count
from tests.opencrvs.core_events import Core
from tests.opencrvs.places import area_row, location_row
from tests.records.documents import EVENTS, document, uuid


def test_records_of_files_plain_and_packed_are_written(run: Run, kept: AnalyticsStore, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    half = len(EVENTS) // 2
    (records / "a.jsonl").write_bytes(lines(EVENTS[:half]) + b"\n")
    (records / "b.jsonl.gz").write_bytes(gzip.compress(lines(EVENTS[half:])))
    (records / "readme.txt").write_text("not a record")
    done = run("reindex", str(records))
    assert done.exit_code == 0, done.output
    assert f"{len(EVENTS)} events received, {len(BIRTHS)} written." in done.stdout
    assert f"{len(EVENTS) - len(BIRTHS)} skipped: its event type is not marked for analytics." in done.stdout
    kept.layout()
    assert count(kept, "event_versions") == len(BIRTHS)


def test_what_cannot_be_written_is_printed_and_the_rest_is_written(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(lines([BIRTHS[0], document(id=uuid(3), trackingId=5)]) + b"\n" + lines([BIRTHS[1]]) + b"{cut")
    done = run("reindex", str(file))
    assert done.exit_code == 1
    assert f"{file}, line 2: {uuid(3)}: trackingId: Not a valid string.\n" in done.stdout
    assert f"{file}, line 5: no id: {UNREADABLE}\n" in done.stdout
    assert "4 events received, 2 written.\n2 skipped: could not be written." in done.stdout


def test_several_workers_write_the_same(run_workers: Run, kept: AnalyticsStore, tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    file.write_bytes(lines(BIRTHS))
    kept.layout()
    done = run_workers("reindex", str(file), "--workers", "2")
    assert done.exit_code == 0, done.output
    assert count(kept, "event_versions") == len(BIRTHS)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ANALYTICS_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "does not answer"),
        ({"EVENT_CONFIG_URL": "http://127.0.0.1:1/", "COUNTRY_DIR": ""}, "EVENT_CONFIG_URL: no answer"),
    ],
)
def test_what_is_in_the_way_is_said(run: Run, tmp_path: Path, changes: dict[str, str], said: str) -> None:
    (tmp_path / "records.jsonl").write_bytes(lines(BIRTHS))
    done = run("reindex", str(tmp_path / "records.jsonl"), **changes)
    assert done.exit_code == 1
    assert said in done.stderr


def test_a_directory_without_records_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no file that ends in .jsonl" in run("reindex", str(tmp_path / "empty")).stderr


def test_rules_may_be_in_another_encoding(run: Run, country: Path, tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes(lines(BIRTHS[:2]))
    rules = "# coding: latin-1\nfrom app.country import analytics\nanalytics('birth', fields=['child.dob'])  # né\n"
    (country / "rules.py").write_bytes(rules.encode("latin-1"))
    assert run("reindex", str(tmp_path / "records.jsonl")).stdout == "2 events received, 2 written.\n"


def test_where_nothing_is_marked_nothing_is_begun(run: Run, country: Path, tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes(lines(BIRTHS[:2]))
    (country / "rules.py").write_text("")
    done = run("reindex", str(tmp_path / "records.jsonl"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Nothing is marked" in done.stderr


def test_status_tells_what_is_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").write_bytes(lines(BIRTHS[:2]))
    run("reindex", str(tmp_path / "records.jsonl"))
    done = run("status")
    assert done.exit_code == 0, done.output
    told = {line.rsplit("  ", 1)[0].strip(): line.rsplit("  ", 1)[1].strip() for line in done.stdout.splitlines()}
    assert told["Events"] == "2"
    assert told["Lacking"] == "nothing"
    assert told["Marked event types"] == "birth"
    assert len(told) == 7


def test_status_tells_what_is_kept_without_a_mark_and_marked_without_effect(
    run: Run, country: Path, tmp_path: Path
) -> None:
    (tmp_path / "records.jsonl").write_bytes(lines(BIRTHS[:2]))
    run("reindex", str(tmp_path / "records.jsonl"))
    (country / "rules.py").write_text(
        "from app.country import analytics, birth_figures\n"
        "analytics('death', fields=['deceased.dob'])\nanalytics('adoption', computed=birth_figures)\n"
    )
    done = run("status")
    assert done.exit_code == 0, done.output
    assert "Kept, and not marked any more  birth: see docs/analytics.md" in done.stdout
    assert "Rules without effect  adoption: name fields in analytics(...)" in done.stdout
    assert "analytics.rule_without_effect" in done.stderr


def test_the_countrys_own_files_about_places_are_taken_over(run: Run, kept: AnalyticsStore, country: Path) -> None:
    files = country / "analytics"
    files.mkdir()
    (files / "location_levels.csv").write_text("id,level,name\nprovince,1,Province\ndistrict,2,District\n")
    (files / "location_statistics.csv").write_text(
        "name,reference_id,year,crude_birth_rate,male_population,female_population,total_population\n"
        "Lusaka,x,2026,31.5,10,12,22\n"
    )
    for _ in range(2):  # the second time replaces the first
        done = run("locations")
        assert done.exit_code == 0, done.output
    assert "location_levels: 2 from" in done.stdout
    assert "GATEWAY_URL is not set" in done.stdout
    assert (count(kept, "location_levels"), count(kept, "location_statistics")) == (2, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("id,name\n", "lacks the columns level"),
        ("id,level,name\na,high,x\n", "line 2: level is no number that can be kept: 'high'"),
    ],
)
def test_a_file_about_places_that_is_wrong_is_said(run: Run, country: Path, content: str, said: str) -> None:
    (country / "analytics").mkdir()
    (country / "analytics" / "location_levels.csv").write_text(content)
    done = run("locations")
    assert done.exit_code == 1
    assert said in done.stderr


def test_without_a_token_cores_places_are_left(run: Run, core: Core) -> None:
    core.locations = [location_row()]
    assert area_row()["id"]
    done = run("locations", GATEWAY_URL=core.url)
    assert done.exit_code == 1
    assert "SYSTEM_CLIENT_ID" in done.stderr
