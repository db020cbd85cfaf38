"""Tests of the replay: from nothing to what the live database holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.schema.difference import Findings
from sqlmigrations.service.gather import read_disk, recall
from sqlmigrations.service.replay import compare_replay
from tests.helpers import Settings, applysql, catalog, put, role, run_sql


def replayed(live: BaseDatabaseWrapper) -> Findings:
    """Replay, and see that the live database is as before, with no scratch database left."""
    before = catalog()
    disk = read_disk("default")
    findings = compare_replay(live, disk, recall(live, disk))
    assert catalog() == before
    return findings


def short(findings: Findings) -> list[tuple[str, ...]]:
    return [(d.severity, d.kind, d.object, d.attribute, d.expected, d.found) for d in findings.differences]


FILES = {
    "001_roles.sql": "CREATE ROLE sqlm_replayed;\nCREATE TABLE a (id int PRIMARY KEY, name varchar(9));\n"
    "INSERT INTO a VALUES (1, 'ann');",
    "002_more.sql": "-- sqlmigrations: transaction off\nCREATE INDEX CONCURRENTLY named ON a (name);\n",
    "002_more.down.sql": "DROP INDEX named;",
    "003_check.sql": "ALTER TABLE a ADD CHECK (name IN ('ann', 'bob'));",
    "003_check.down.sql": "ALTER TABLE a DROP CONSTRAINT a_name_check;",
    "003_check.verify.sql": "SELECT count(*) = 1 FROM a;",
    "repeatable/names.sql": "CREATE OR REPLACE VIEW names AS SELECT name FROM a;",
    "repeatable/names.down.sql": "DROP VIEW names;",
    "seed/data.sql": "INSERT INTO a VALUES (2, 'bob');",
}


@pytest.fixture
def files(folder: Path) -> Path:
    put(folder, {name: text.replace("CREATE ROLE sqlm_replayed;\n", "") for name, text in FILES.items()})
    return folder


def test_nothing_differs(live: BaseDatabaseWrapper, files: Path) -> None:
    call_command("migrate", verbosity=0)
    assert applysql().code == 0
    assert applysql("--seed", "data").code == 0
    findings = replayed(live)
    assert (findings.differences, findings.skipped) == ((), ())
    assert findings.examined["table"] > 8


def test_what_is_pending_is_no_difference(live: BaseDatabaseWrapper, files: Path) -> None:
    call_command("migrate", "contenttypes", verbosity=0)
    assert applysql("001", "002").code == 0
    assert short(replayed(live)) == []


def test_nothing_at_all_is_no_difference(live: BaseDatabaseWrapper, files: Path) -> None:
    assert short(replayed(live)) == []


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("DROP INDEX named", ("error", "index", "public.named", "presence", "present", "absent")),
        ("CREATE TABLE mine ()", ("warning", "table", "public.mine", "presence", "absent", "present")),
        ("ALTER INDEX named RENAME TO other", ("info", "index", "public.named", "name", "named", "other")),
        ("DROP VIEW names", ("error", "view", "public.names", "presence", "present", "absent")),
        ("ALTER TABLE auth_user ALTER email DROP NOT NULL",
         ("error", "column", "public.auth_user.email", "not_null", "yes", "no")),
    ],
)  # fmt: skip
def test_what_was_changed_by_hand_is_a_difference(
    live: BaseDatabaseWrapper, files: Path, statement: str, difference: tuple[str, ...]
) -> None:
    call_command("migrate", verbosity=0)
    assert applysql().code == 0
    run_sql(statement)
    assert short(replayed(live)) == [difference]


def test_the_text_that_the_database_holds_counts(live: BaseDatabaseWrapper, files: Path) -> None:
    """Not the one on disk: that was changed since, or is gone."""
    assert applysql().code == 0
    put(files, {"003_check.sql": "SELECT 1/0;", "repeatable/names.sql": "CREATE OR REPLACE VIEW names AS SELECT 1;"})
    (files / "001_roles.sql").unlink()
    findings = replayed(live)
    assert (findings.differences, findings.skipped) == ((), ())


def test_a_file_whose_text_is_nowhere_is_named(live: BaseDatabaseWrapper, files: Path) -> None:
    put(files, {"004_secret.sql": "-- sqlmigrations: sensitive\nCREATE TABLE secret ();"})
    assert applysql().code == 0
    (files / "004_secret.sql").unlink()
    findings = replayed(live)
    assert short(findings) == [("warning", "table", "public.secret", "presence", "absent", "present")]
    assert [(skipped.what, skipped.reason, skipped.remedy) for skipped in findings.skipped] == [
        (
            "the replay of 004_secret.sql",
            "the file is gone and its text is not kept",
            "Bring the file back as it was applied.",
        )
    ]


def test_what_reaches_beyond_the_database_is_left_out_and_counted(live: BaseDatabaseWrapper, files: Path) -> None:
    with role() as name:
        put(
            files, {"005_role.sql": f"CREATE ROLE {name}_other;\nGRANT SELECT ON a TO {name};\nDROP ROLE {name}_other;"}
        )
        assert applysql().code == 0
        findings = replayed(live)
        assert (findings.differences, findings.skipped) == ((), ())
        assert {key: count for key, count in findings.not_covered.items() if "unreplayed" in key} == {
            "unreplayed CREATE ROLE": 1,
            "unreplayed DROP ROLE": 1,
        }
        run_sql("DROP TABLE a CASCADE")


def test_a_file_that_does_not_run_on_an_empty_database_is_a_difference(live: BaseDatabaseWrapper, folder: Path) -> None:
    run_sql("CREATE TABLE there ()")
    put(folder, {"001.sql": "\nALTER TABLE there ADD COLUMN id int;"})
    assert applysql().code == 0
    assert short(replayed(live)) == [
        (
            "error", "file", "001.sql", "replay", "possible on an empty database",
            '001.sql:2: relation "there" does not exist',
        )
    ]  # fmt: skip


def test_no_scratch_database_no_replay(live: BaseDatabaseWrapper, files: Path, settings: Settings) -> None:
    settings.SQLMIGRATIONS_PRODUCTION = True
    (skipped,) = replayed(live).skipped
    assert (skipped.what, skipped.reason) == ("the replay", "SQLMIGRATIONS_PRODUCTION is set")


def test_another_role_than_the_owner_may_ask(live: BaseDatabaseWrapper, files: Path) -> None:
    call_command("migrate", verbosity=0)
    assert applysql().code == 0
    with role("LOGIN CREATEDB") as name:
        run_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}")
        live.close()
        live.settings_dict["USER"], kept = name, live.settings_dict["USER"]
        try:
            live.ensure_connection()
            disk = read_disk("default")
            findings = compare_replay(live, disk, recall(live, disk))
        finally:
            live.close()
            live.settings_dict["USER"] = kept
        run_sql(f"DROP OWNED BY {name}")
    assert {attribute for _severity, _kind, _object, attribute, *_ in short(findings)} == {"grants"}


# What is kept


def test_a_replay_that_was_kept_is_only_read(
    live: BaseDatabaseWrapper, files: Path, settings: Settings, tmp_path: Path
) -> None:
    """So production needs no scratch database."""
    settings.SQLMIGRATIONS_REPLAY_CACHE = cache = tmp_path / "kept" / "replays"
    call_command("migrate", verbosity=0)
    assert applysql().code == 0
    assert short(replayed(live)) == []
    (kept,) = cache.iterdir()
    settings.SQLMIGRATIONS_PRODUCTION = True
    assert replayed(live) == Findings((), replayed(live).examined)
    run_sql("ALTER TABLE a DROP CONSTRAINT a_name_check; ALTER TABLE a ADD CHECK (name IN ('ann', 'eve'))")
    (difference,) = replayed(live).differences
    assert (difference.object, difference.attribute) == ("public.a.a_name_check", "definition")
    put(files, {"004_new.sql": "SELECT 1;"})
    assert applysql().code == 0
    assert [skipped.what for skipped in replayed(live).skipped] == ["the replay"], "other files, another replay"
    settings.SQLMIGRATIONS_PRODUCTION = False
    kept.write_bytes(b"broken")
    assert [difference.object for difference in replayed(live).differences] == ["public.a.a_name_check"]


def test_nothing_differs_in_the_example(live: BaseDatabaseWrapper, example: None) -> None:
    call_command("migrate", verbosity=0)
    assert applysql().code == 0
    findings = replayed(live)
    assert (findings.differences, findings.skipped) == ((), ())
    assert findings.examined["trigger"] > 0
