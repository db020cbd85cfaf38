"""``revertsql``: every word it writes, what it refuses, what the database and the history hold afterwards."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sqlmigrations import signals
from tests.commands.shop import ALONE, CUSTOMERS, INDEX, ORDERS, SHOP, revertsql
from tests.helpers import Ran, applysql, events, put, rows, run_sql, states, tables, value

HEAD = "Head of the history: <hash>\n"


@pytest.fixture
def shop(ready_database: str, folder: Path) -> Path:
    """Apply the shop's files; return their folder."""
    put(folder, SHOP)
    assert applysql().code == 0
    return folder


def answer(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    """Have a person at the terminal who types ``word``."""
    person = io.StringIO(f"{word}\n")
    monkeypatch.setattr(person, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", person)


def reverted_names(ran: Ran) -> list[str]:
    """Return the names of the files that a plan would revert, in its order."""
    assert (ran.err, ran.code) == ("", 0)
    return [file["name"] for file in json.loads(ran.out)["files"]]


def remove(folder: Path) -> None:
    """Take all files away, as a checkout of another branch does."""
    for path in folder.rglob("*.sql"):
        path.unlink()


# What is asked and said


def test_it_shows_what_it_will_do_and_asks(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "yes")
    assert revertsql("004") == Ran(
        f"  Reverting 004_alone.sql... REVERTED (<time>, 1 statement)\n  1 reverted.\n{HEAD}",
        "SQL files to revert, in this order:\n"
        "  004_alone.sql  (down script as kept when it was applied)\n"
        "Revert this? [yes/no] ",
        0,
    )
    assert states()["004_alone.sql"] == "reverted"


def test_no_is_no(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "no")
    before = events()
    ran = revertsql("004")
    assert (ran.out, ran.err.splitlines()[-1], ran.code) == ("", "Revert this? [yes/no] Nothing was reverted.", 1)
    assert (states()["004_alone.sql"], events()) == ("applied", before)


def test_nobody_is_there_to_be_asked(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    ran = revertsql("004")
    assert (ran.err.splitlines()[-2:], ran.code) == (
        ["CommandError: Nobody is there to be asked.", "  If you mean it, add --noinput."],
        2,
    )
    assert states()["004_alone.sql"] == "applied"


def test_a_plan_does_nothing(shop: Path) -> None:
    before = events()
    assert revertsql("002", "--cascade", "--plan") == Ran(
        "SQL files to revert, in this order:\n"
        "  repeatable/totals.sql  (down script as kept when it was applied)\n"
        "  003_index.sql  (down script as kept when it was applied)\n"
        "  002_orders.sql  (down script as kept when it was applied)\n",
        "",
        0,
    )
    assert events() == before


def test_the_document_of_a_plan_and_of_a_run(shop: Path) -> None:
    planned = json.loads(revertsql("004", "--plan", "--format", "json").out)
    assert planned["files"] == [
        {
            "name": "004_alone.sql",
            "kind": "versioned",
            "state": "applied",
            "reason": "as kept when it was applied",
            "diff": "",
        }
    ]
    done = json.loads(revertsql("004", "--noinput", "--format", "json").out.replace("<ms>", "0"))
    assert [(file["name"], file["state"]) for file in done["files"]] == [("004_alone.sql", "reverted")]
    assert done["head"] == "<hash>"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to revert: NAME, --last N or --to NAME."),
        (["003", "--last", "1"], "Say what to revert: NAME, --last N or --to NAME."),
        *(
            (
                ["--last", number],
                f"--last {number} reverts nothing: N says how many of the files that were applied last are reverted.\n"
                "  Give a number of at least 1; all files: --to zero.",
            )
            for number in ("0", "-1")
        ),
        (["--last", "5"], "--last 5: this database holds 4 versioned files."),
        (["--to", "totals"], "--to repeatable/totals.sql: only a versioned file on disk can be a target."),
        (["nothing"], "No SQL file is called 'nothing'.\n  See the names with: applysql --list"),
        (["005"], "005_later.sql is pending: there is nothing of it to revert."),
        (
            ["002"],
            "003_index.sql was applied later and touches orders, as does 002_orders.sql.\n"
            "  Revert it too: add --cascade, or name it.",
        ),
    ],
    ids=" ".join,
)
def test_what_cannot_be_reverted(shop: Path, arguments: list[str], message: str) -> None:
    put(shop, {"005_later.sql": "SELECT 1;"})
    before = events()
    assert revertsql(*arguments, "--noinput") == Ran("", f"CommandError: {message}\n", 2)
    assert events() == before


def test_a_database_without_a_history(fresh_database: str, folder: Path) -> None:
    put(folder, CUSTOMERS)
    message = "This database has no history of SQL files: there is nothing to revert."
    assert revertsql("001", "--noinput") == Ran("", f"CommandError: {message}\n", 2)
    assert value("SELECT count(*) FROM pg_class WHERE oid >= 16384") == 0


# What goes


@pytest.mark.parametrize(
    ("arguments", "gone"),
    [
        (["--last", "1"], ["004_alone.sql"]),
        (["totals", "004"], ["004_alone.sql", "repeatable/totals.sql"]),
        (["--to", "003"], ["004_alone.sql"]),
        (["--to", "002", "--cascade"], ["003_index.sql", "004_alone.sql", "repeatable/totals.sql"]),
        (["002", "--cascade"], ["002_orders.sql", "003_index.sql", "repeatable/totals.sql"]),
        (
            ["001", "002", "003", "totals"],
            ["001_customers.sql", "002_orders.sql", "003_index.sql", "repeatable/totals.sql"],
        ),
        (["--to", "zero"], [name for name in sorted(SHOP) if not name.endswith(".down.sql")]),
    ],
    ids=lambda part: " ".join(part),
)
def test_what_is_meant(shop: Path, arguments: list[str], gone: list[str]) -> None:
    assert revertsql(*arguments, "--noinput").code == 0
    assert sorted(name for name, state in states().items() if state == "reverted") == gone
    assert value(
        "SELECT bool_and(success IS NULL AND executed_at IS NULL) FROM sqlmigrations_migrationrecord"
        " WHERE state = 'reverted'"
    )


def test_the_order_is_that_of_the_history_whatever_the_clock_said(shop: Path) -> None:
    """After a failover the new server's clock may be behind: the times of the files run backwards."""
    run_sql("UPDATE sqlmigrations_migrationrecord SET executed_at = '2024-01-01'::timestamptz - id * interval '1 hour'")
    assert reverted_names(revertsql("001", "--cascade", "--noinput", "--plan", "--format", "json")) == [
        "repeatable/totals.sql",
        "003_index.sql",
        "002_orders.sql",
        "001_customers.sql",
    ]
    assert reverted_names(revertsql("--last", "1", "--plan", "--format", "json")) == ["004_alone.sql"]


def test_a_file_that_was_renamed_keeps_its_place_in_that_order(shop: Path) -> None:
    (shop / "004_alone.sql").rename(shop / "000_alone.sql")
    (shop / "004_alone.down.sql").rename(shop / "000_alone.down.sql")
    assert applysql("--repair", "--reason", "a better number", "--noinput").code == 0
    run_sql("UPDATE sqlmigrations_migrationrecord SET executed_at = '2024-01-01'")
    assert reverted_names(revertsql("--last", "1", "--plan", "--format", "json")) == ["000_alone.sql"]


def test_what_another_tool_applied_came_before_by_that_tools_time(shop: Path) -> None:
    """No event of the history tells when."""
    run_sql("""
        DELETE FROM sqlmigrations_migrationrecord WHERE filename IN ('002_orders.sql', '003_index.sql');
        CREATE TABLE migrations (filename text, executed_at timestamptz, execution_time_ms int, success boolean,
                                 error_message text);
        INSERT INTO migrations VALUES ('005_a.sql', '2199-01-02', 1, true, ''), ('006_b.sql', '2199-01-01', 1, true, '')
    """)
    put(shop, {f"00{name}.{end}": "SELECT 1;" for name in ("5_a", "6_b") for end in ("sql", "down.sql")})
    assert applysql("--adopt", "migrations", "--noinput").code == 0
    assert reverted_names(revertsql("--last", "4", "--plan", "--format", "json")) == [
        "004_alone.sql",
        "001_customers.sql",
        "005_a.sql",
        "006_b.sql",
    ]


def test_newest_first_and_each_in_a_transaction_of_its_own(shop: Path) -> None:
    assert revertsql("002", "--cascade", "--noinput").code == 0
    assert events()[-6:] == [
        ("started", "repeatable/totals.sql"),
        ("reverted", "repeatable/totals.sql"),
        ("started", "003_index.sql"),
        ("reverted", "003_index.sql"),
        ("started", "002_orders.sql"),
        ("reverted", "002_orders.sql"),
    ]
    assert tables() == ["alone", "customers"]
    assert value("SELECT count(DISTINCT xmin::text) FROM sqlmigrations_migrationevent WHERE type = 'reverted'") == 3


def test_a_file_that_is_required_stays(ready_database: str, folder: Path) -> None:
    put(folder, {**CUSTOMERS, "002_note.sql": "-- sqlmigrations: requires 001_customers.sql\nCREATE TABLE note ();"})
    assert applysql().code == 0
    assert revertsql("001", "--noinput") == Ran(
        "",
        "CommandError: 002_note.sql was applied later and requires 001_customers.sql.\n"
        "  Revert it too: add --cascade, or name it.\n",
        2,
    )


# Which script


def test_from_another_branch(shop: Path) -> None:
    """Neither the file nor its down script is on disk any more: what was kept is what runs."""
    remove(shop)
    assert revertsql("004", "--noinput").code == 0
    assert tables() == ["customers", "orders"]
    assert states()["004_alone.sql"] == "reverted"


def test_a_newer_down_script_is_shown_and_taken_only_when_asked_for(shop: Path) -> None:
    put(shop, {"004_alone.down.sql": "DROP TABLE IF EXISTS alone;\nCREATE TABLE from_disk ();\n"})
    assert revertsql("004", "--plan").out == (
        "SQL files to revert, in this order:\n"
        "  004_alone.sql  (down script as kept when it was applied)\n"
        "    The down script on disk differs; --from-disk takes that one:\n"
        "      --- as applied\n"
        "      +++ on disk\n"
        "      @@ -1 +1,2 @@\n"
        "      -DROP TABLE alone;\n"
        "      +DROP TABLE IF EXISTS alone;\n"
        "      +CREATE TABLE from_disk ();\n"
    )
    assert revertsql("004", "--from-disk", "--noinput").code == 0
    assert tables() == ["customers", "from_disk", "orders"]


def test_without_a_kept_script_the_one_on_disk_runs(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    assert applysql().code == 0
    assert revertsql("001", "--noinput") == Ran(
        "",
        "CommandError: 001.sql has no down script that can be run: it had none when it was applied, and there is none "
        "on disk.\n  Write 001.down.sql, and run this again.\n",
        2,
    )
    put(folder, {"001.down.sql": "DROP TABLE t;"})
    assert revertsql("001", "--plan").out.splitlines()[1:] == ["  001.sql  (down script as it stands on disk)"]
    assert revertsql("001", "--noinput").code == 0
    assert tables() == []


MASKED = "ALTER ROLE CURRENT_USER PASSWORD 'hunter2'; DROP TABLE t;"
BANNER = "-- ******** goodbye ********\n/* ******** */ DROP TABLE t;"


@pytest.mark.parametrize("down", [MASKED, f"-- sqlmigrations: sensitive\n{BANNER}"], ids=["masked", "sensitive"])
def test_a_kept_script_that_is_not_whole_never_runs(ready_database: str, folder: Path, down: str) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);", "001.down.sql": down})
    assert applysql().code == 0
    assert "hunter2" not in value("SELECT down_sql FROM sqlmigrations_migrationrecord")
    (folder / "001.down.sql").unlink()
    ran = revertsql("001", "--noinput")
    assert (ran.out, ran.err.splitlines()[0], ran.code) == (
        "",
        "CommandError: 001.sql has no down script that can be run: the kept one is cut or masked, and there is none on "
        "disk.",
        2,
    )
    assert tables() == ["t"]
    put(folder, {"001.down.sql": "DROP TABLE t;"})
    assert revertsql("001", "--plan").out.splitlines()[1:] == ["  001.sql  (down script as it stands on disk)"]


def test_asterisks_in_a_comment_hide_nothing(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);", "001.down.sql": BANNER})
    assert applysql().code == 0
    (folder / "001.down.sql").unlink()
    assert revertsql("001", "--noinput").code == 0
    assert tables() == []


def test_a_down_script_with_what_is_never_run(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE t (id int);"})
    assert applysql().code == 0
    put(folder, {"001.down.sql": "DROP TABLE t;\nCOMMIT;"})
    ran = revertsql("001", "--noinput")
    assert ("001.down.sql:2" in ran.err, ran.code, tables()) == (True, 2, ["t"])


def test_a_faked_file_is_reverted_only_by_a_person(
    ready_database: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, ALONE)
    assert applysql("--fake").code == 0
    run_sql("CREATE TABLE alone (id int)")
    assert revertsql("004", "--noinput") == Ran(
        "",
        "CommandError: 004_alone.sql was recorded without being run: its down script may undo what it never did.\n"
        "  Run it without --noinput, and confirm it.\n",
        2,
    )
    assert tables() == ["alone"]
    answer(monkeypatch, "yes")
    ran = revertsql("004")
    assert "    It was recorded without being run: its down script may not fit.\n" in ran.err
    assert (ran.code, tables()) == (0, [])


# When it fails


def test_a_wrong_down_script_says_how_another_is_taken(ready_database: str, folder: Path) -> None:
    put(folder, {"001.sql": "CREATE TABLE one (id int);", "001.down.sql": "DROP TABLE on;"})
    put(folder, {"002.sql": "CREATE TABLE two (id int);", "002.down.sql": "DROP TABLE to_o;"})
    assert applysql().code == 0
    said = (
        "What to do: This script was kept when the file was applied. Correct it on disk, and take that one: revertsql "
    )
    assert f"    {said}001.sql --from-disk\n" in revertsql("001", "--noinput").out
    assert f"    {said}002.sql --from-disk\n" in revertsql("002", "--noinput").out
    put(folder, {"002.down.sql": "DROP TABLE two_too;"})
    assert said not in revertsql("002", "--noinput", "--from-disk").out


def test_a_down_script_that_fails_leaves_the_file_applied_and_stops_the_run(shop: Path) -> None:
    run_sql("CREATE VIEW by_hand AS SELECT id FROM orders")
    ran = revertsql("001", "--cascade", "--noinput")
    assert (ran.err, ran.code) == ("", 1)
    assert ran.out == (
        "  Reverting repeatable/totals.sql... REVERTED (<time>, 1 statement)\n"
        "  Reverting 003_index.sql... REVERTED (<time>, 1 statement)\n"
        "  Reverting 002_orders.sql... FAILED (<time>, 0 statements)\n"
        "    002_orders.down.sql:1: cannot drop table orders because other objects depend on it [2BP01]\n"
        "    1 | DROP TABLE orders;\n"
        "    DETAIL: view by_hand depends on table orders\n"
        "    HINT: Use DROP ... CASCADE to drop the dependent objects too.\n"
        "    What to do: Drop what depends on it first, or add CASCADE if all of that may go too.\n"
        "  Left 001_customers.sql: stays as it is, since the one before it failed\n"
        "  1 applied, 1 failed, 2 reverted.\n" + HEAD
    )
    assert states() == {
        "001_customers.sql": "applied",
        "002_orders.sql": "applied",
        "003_index.sql": "reverted",
        "004_alone.sql": "applied",
        "repeatable/totals.sql": "reverted",
    }
    assert events()[-2:] == [("started", "002_orders.sql"), ("revert_failed", "002_orders.sql")]
    assert value(
        "SELECT success AND error_message = '' AND executed_at IS NOT NULL FROM sqlmigrations_migrationrecord"
        " WHERE filename = '002_orders.sql'"
    )
    assert value("SELECT details ->> 'direction' FROM sqlmigrations_migrationevent WHERE type = 'revert_failed'") == (
        "backwards"
    )


def test_a_down_script_outside_a_transaction_goes_on_where_it_stopped(ready_database: str, folder: Path) -> None:
    down = (
        "-- sqlmigrations: transaction off\nINSERT INTO seen VALUES (1);\n"
        "DROP INDEX CONCURRENTLY i;\nSELECT 1 / (SELECT count(*) FROM allowed);\nDROP TABLE t;\n"
    )
    put(folder, {"001.sql": "CREATE TABLE t (id int); CREATE INDEX i ON t (id);", "001.down.sql": down})
    run_sql("CREATE TABLE seen (id int); CREATE TABLE allowed (id int)")
    assert applysql().code == 0
    assert revertsql("001", "--noinput").code == 5
    assert states() == {"001.sql": "partial"}
    assert (
        applysql("--list").out
        == "project\n [/] 001.sql (<when>, <time>) partial: half reverted: revertsql 001.sql goes on\n"
    )
    (folder / "001.down.sql").unlink()
    run_sql("INSERT INTO allowed VALUES (1)")
    assert revertsql("001", "--noinput").code == 0
    assert (states(), tables(), rows("SELECT id FROM seen")) == ({"001.sql": "reverted"}, ["allowed", "seen"], [(1,)])


# What comes back


def test_a_reverted_file_is_not_taken_again_by_itself(shop: Path) -> None:
    assert revertsql("003", "totals", "--noinput").code == 0
    assert applysql().code == 0
    assert states()["003_index.sql"] == states()["repeatable/totals.sql"] == "reverted"
    assert applysql("--check") == Ran(
        "Every SQL file is applied, but for what was reverted: 003_index.sql, repeatable/totals.sql.\n", "", 0
    )
    assert applysql("003").code == 0
    assert states()["003_index.sql"] == "applied"
    put(shop, {"repeatable/totals.sql": "CREATE OR REPLACE VIEW totals AS SELECT 1 AS one;"})
    assert applysql().code == 0
    assert states()["repeatable/totals.sql"] == "applied"


def test_a_repeatable_that_only_had_to_make_way_comes_back(shop: Path) -> None:
    assert revertsql("002", "--cascade", "--noinput").code == 0
    assert rows(
        "SELECT filename, details -> 'reverted_with' FROM sqlmigrations_migrationevent"
        " WHERE type = 'reverted' AND details ? 'reverted_with' ORDER BY id"
    ) == [
        ("repeatable/totals.sql", ["002_orders.sql", "003_index.sql"]),
        ("003_index.sql", ["002_orders.sql"]),
    ]
    assert applysql().code == 0
    assert (
        "repeatable/totals.sql reverted: was reverted with 002_orders.sql, 003_index.sql and comes back behind them"
        in (applysql("--list").out)
    )
    assert applysql("002").code == 0
    assert applysql().code == 0
    assert states()["repeatable/totals.sql"] == "reverted"
    assert applysql("003").code == 0
    assert applysql("--check").code == 1
    assert "  Apply repeatable/totals.sql  (was reverted only with what it builds on)\n" in applysql("--plan").out
    assert applysql().code == 0
    assert set(states().values()) == {"applied"}
    assert value("SELECT count(*) FROM totals") == 0


def test_a_repeatable_comes_back_in_the_run_that_brings_back_what_it_builds_on(shop: Path) -> None:
    assert revertsql("002", "--cascade", "--noinput").code == 0
    put(shop, {name: text.replace(";", " ; SELECT 1;") for name, text in {**ORDERS, **INDEX}.items()})
    assert applysql().code == 0
    assert set(states().values()) == {"applied"}


def test_a_repeatable_that_was_named_stays_away(shop: Path) -> None:
    assert revertsql("002", "003", "totals", "--noinput").code == 0
    assert applysql("002", "003").code == 0
    assert applysql().code == 0
    assert states()["repeatable/totals.sql"] == "reverted"


# Around it


def test_signals(shop: Path) -> None:
    sent: list[tuple[str, Any]] = []
    names = ("run_started", "migration_started", "migration_reverted", "migration_failed", "run_finished")
    receivers = []
    for name in names:

        def receive(sender: Any, which: str = name, **arguments: Any) -> None:
            told = arguments.get("names") or arguments.get("name") or arguments["result"].files[-1].name
            sent.append((which, told))

        getattr(signals, name).connect(receive)
        receivers.append((getattr(signals, name), receive))
    run_sql("CREATE VIEW by_hand AS SELECT id FROM orders")
    try:
        assert revertsql("002", "003", "totals", "--noinput").code == 1
    finally:
        for signal, receiver in receivers:
            signal.disconnect(receiver)
    assert sent == [
        ("run_started", ["repeatable/totals.sql", "003_index.sql", "002_orders.sql"]),
        ("migration_started", "repeatable/totals.sql"),
        ("migration_reverted", "repeatable/totals.sql"),
        ("migration_started", "003_index.sql"),
        ("migration_reverted", "003_index.sql"),
        ("migration_started", "002_orders.sql"),
        ("migration_failed", "002_orders.sql"),
        ("run_finished", "002_orders.sql"),
    ]
