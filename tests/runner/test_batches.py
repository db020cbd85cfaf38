"""Files whose one statement runs in batches: each commits with its checkpoint, and all together do what one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlmigrations.runner.batches import Replicas
from tests.commands.shop import revertsql
from tests.helpers import Ran, Settings, applysql, events, put, rows, run_sql, states, value

HEAD = "Head of the history: <hash>\n"


@pytest.fixture(autouse=True)
def no_pause(settings: Settings) -> None:
    """Pause not at all between batches."""
    settings.SQLMIGRATIONS_BATCH_PAUSE = "0"


@pytest.fixture
def items(ready_database: str) -> None:
    """Make a table of a hundred rows, whose keys are 10, 20, ... 1000."""
    run_sql(
        """CREATE TABLE items (id int PRIMARY KEY, n int, note text);
           INSERT INTO items SELECT 10 * i, i, NULL FROM generate_series(1, 100) AS i;
           ANALYZE items;"""
    )


def batched(statement: str, *directives: str, batch: str = "30") -> dict[str, str]:
    lines = [f"-- sqlmigrations: {each}\n" for each in (f"batch {batch}", *directives)]
    return {"001.sql": "".join(lines) + statement + "\n"}


def kept() -> dict[str, object]:
    progress: dict[str, dict[str, object]] = value("SELECT progress FROM sqlmigrations_migrationrecord")
    return progress["batches"]


def test_all_batches_do_what_the_statement_does_at_once(items: None, folder: Path) -> None:
    put(folder, batched("UPDATE items SET n = n + 1000 -- all of them\n;"))
    assert applysql() == Ran(
        f"Running SQL files:\n  Applying 001.sql... OK (<time>, 4 batches, 100 rows)\n  1 applied.\n{HEAD}", "", 0
    )
    assert rows("SELECT count(*), min(n), max(n), count(DISTINCT xmin::text) FROM items") == [(100, 1001, 1100, 4)]
    assert rows("SELECT state, statements_done, statements_total, progress FROM sqlmigrations_migrationrecord") == [
        ("applied", 1, 1, None)
    ]
    details = value("SELECT details FROM sqlmigrations_migrationevent WHERE type = 'applied'")
    assert {key: details["batches"][key] for key in ("size", "count", "rows")} == {"size": 30, "count": 4, "rows": 100}
    assert details["locks"] == [{"relation": "public.items", "mode": "RowExclusive"}]


def test_it_goes_on_behind_the_last_batch(items: None, folder: Path) -> None:
    """A row in the third batch can't be changed; once it can, nothing of the first two happens again."""
    run_sql("UPDATE items SET note = 'broken' WHERE id = 700")
    put(folder, batched("UPDATE items SET n = n + 1000 / (CASE note WHEN 'broken' THEN 0 ELSE 1 END) WHERE\tid > 100;"))
    ran = applysql()
    assert ran.out == (
        "Running SQL files:\n"
        "  Applying 001.sql... STOPPED HALF-WAY (<time>, 2 batches, 50 rows)\n"
        "    001.sql:2: division by zero [22012]\n"
        "    2 | UPDATE items SET n = n + 1000 / (CASE note WHEN 'broken' THEN 0 ELSE 1 END) WHERE id > 100;\n"
        "    What to do: The 2 batches before it are committed: the next run goes on behind them.\n"
        f"  1 partial.\n{HEAD}"
    )
    assert ran.code == 5
    statement = value("SELECT details->>'statement' FROM sqlmigrations_migrationevent WHERE type = 'stopped'")
    assert statement.endswith("""WHERE(id > 100) AND ("items"."id") > ('600') AND ("items"."id") <= ('900');""")
    assert {**kept(), "statement": None} == {
        "statement": None,
        "columns": ["id"],
        "after": ["600"],
        "until": ["1000"],
        "batches": 2,
        "rows": 50,
        "walked": 60,
        "expected": 100,
    }
    assert applysql("--plan").out == (
        "Planned SQL files:\n  Resume 001.sql  (resumes behind key 600; done: 2 batches, 50 rows)\n"
    )
    run_sql("UPDATE items SET note = NULL WHERE id = 700")
    assert applysql().out == (
        f"Running SQL files:\n  Resuming 001.sql... OK (<time>, 2 batches, 40 rows)\n  1 applied.\n{HEAD}"
    )
    assert rows("SELECT id FROM items WHERE n <> id / 10 + CASE WHEN id > 100 THEN 1000 ELSE 0 END") == []
    assert events() == [(type, "001.sql") for type in ("started", "stopped", "resumed", "applied")]


def test_the_first_batch_fails_and_leaves_nothing(items: None, folder: Path) -> None:
    put(folder, batched("UPDATE items SET n = 1 / (n - 5);"))
    assert (applysql().code, states()) == (1, {"001.sql": "failed"})
    assert rows("SELECT count(*) FROM items WHERE n <> id / 10") == [(0,)]


@pytest.fixture
def half_done(items: None, folder: Path) -> None:
    """Stop a file after two of its four batches."""
    put(folder, batched("UPDATE items SET n = n + 1000 / (id - 700);"))
    assert applysql().code == 5


def test_an_edited_statement_does_not_go_on_by_itself(half_done: None, folder: Path) -> None:
    put(folder, batched("UPDATE items SET n = n + 1000 / (id - 701);"))
    ran = applysql()
    assert ran.out.splitlines()[2:5] == [
        "    001.sql:2: The statement was edited after some of its batches had run, or has another key, or no `batch`.",
        "    What to do: Restore it, or go on with it behind the last batch: applysql 001.sql --resume-at 1 "
        '(or from its beginning: --restart) --reason "..." The 2 batches before it are committed: the next run goes on '
        "behind them.",
        "  1 partial.",
    ]
    put(folder, {"001.sql": "-- sqlmigrations: transaction off\nUPDATE items SET n = n + 1000 / (id - 700);\n"})
    assert "or has another key, or no `batch`" in applysql().out
    put(folder, {"001.sql": "UPDATE items SET n = n + 1000 / (id - 700);\n"})
    assert "Left 001.sql: it stopped half-way outside a transaction, and its `batch` is gone" in applysql().out
    assert applysql("001.sql", "--resume-at", "1", "--reason", "none", "--noinput").code != 0


@pytest.mark.parametrize(
    ("flags", "changed"), [(("--resume-at", "1"), 40), (("--restart",), 100), (("--resume-at", "2"), 0)]
)
def test_a_person_says_where_it_goes_on(half_done: None, folder: Path, flags: tuple[str, ...], changed: int) -> None:
    """Behind the last batch with the statement as it is now; from its beginning; or not at all."""
    put(folder, batched("UPDATE items SET note = 'new';"))
    assert applysql("001.sql", *flags, "--reason", "mended", "--noinput").code == 0
    assert rows("SELECT count(*) FROM items WHERE note = 'new'") == [(changed,)]
    assert states() == {"001.sql": "applied"}


def test_other_batches_may_be_of_another_size(half_done: None, folder: Path) -> None:
    run_sql("DELETE FROM items WHERE id = 700")
    put(folder, batched("UPDATE items SET n = n + 1000 / (id - 700);", batch="7"))
    assert "OK (<time>, 6 batches, 39 rows)" in applysql().out


@pytest.mark.parametrize(
    ("statement", "batch", "question", "expected"),
    [
        ("DELETE FROM items USING picked WHERE id = picked.item;", "30", "SELECT count(*) FROM items", (97,)),
        (
            "INSERT INTO copies AS c (id, n) SELECT i.id, p.item FROM items i LEFT JOIN picked p ON p.item = i.id "
            "WHERE i.n > 10 ON CONFLICT (id) WHERE id > 0 DO NOTHING",
            "30",
            "SELECT count(*), count(n), count(DISTINCT xmin::text) FROM copies",
            (90, 2, 4),
        ),
        ("UPDATE ONLY items AS i SET n = 0;", "99 by id", "SELECT count(*), sum(n) FROM items", (100, 0)),
        ('UPDATE "Pairs" SET n = 0;', "3", 'SELECT sum(n), count(DISTINCT xmin::text) FROM "Pairs"', (0, 4)),
        ('UPDATE public."Pairs" SET "A" = 0;', '3 by "Code"', 'SELECT sum("A") FROM "Pairs"', (0,)),
        ("UPDATE parts SET n = 0;", "30", "SELECT sum(n), count(DISTINCT xmin::text) FROM parts", (0, 4)),
        ("DELETE FROM parent;", "4", "SELECT count(*) FROM parent", (0,)),
        ("DELETE FROM ONLY parent;", "4", "SELECT count(*) FROM parent", (5,)),
        ("UPDATE nothing SET id = DEFAULT;", "5 by other", "SELECT count(*) FROM nothing", (0,)),
    ],
)
def test_statements_and_keys(
    items: None, folder: Path, statement: str, batch: str, question: str, expected: tuple[int, ...]
) -> None:
    """Other tables, keys of several columns and of other types, partitions and heirs, a table without rows."""
    run_sql(
        """CREATE TABLE picked (item int);
           INSERT INTO picked VALUES (10), (500), (1000);
           CREATE TABLE copies (id int, n int);
           CREATE UNIQUE INDEX ON copies (id) WHERE id > 0;
           CREATE TABLE "Pairs" ("A" int, b uuid, "Code" text COLLATE "C" NOT NULL UNIQUE, n int, PRIMARY KEY ("A", b));
           INSERT INTO "Pairs" SELECT i / 4, gen_random_uuid(), 'it''s \\' || i, i FROM generate_series(1, 10) AS i;
           CREATE TABLE parts (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);
           CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (50);
           CREATE TABLE high PARTITION OF parts FOR VALUES FROM (50) TO (101);
           INSERT INTO parts SELECT i, i FROM generate_series(1, 100) AS i;
           CREATE TABLE parent (id int PRIMARY KEY);
           CREATE TABLE heir () INHERITS (parent);
           INSERT INTO parent SELECT generate_series(1, 10);
           INSERT INTO heir SELECT generate_series(6, 10);
           CREATE TABLE nothing (id serial, other int PRIMARY KEY);"""
    )
    put(folder, batched(statement, batch=batch))
    ran = applysql()
    assert ran.code == 0, ran.out
    assert rows(question) == [expected]


def test_rows_that_come_behind_the_last_key_are_left_alone(items: None, folder: Path) -> None:
    """Else a batched file would run after those who write, without an end."""
    run_sql(
        """CREATE FUNCTION adds() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO items SELECT max(id) + 1, 0 FROM items; RETURN NEW; END $$;
           CREATE TRIGGER adds BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION adds();"""
    )
    put(folder, batched("UPDATE items SET note = 'new';"))
    assert "OK (<time>, 4 batches, 100 rows)" in applysql().out
    assert rows("SELECT count(*), count(note) FROM items") == [(200, 100)]


def test_a_batch_that_waits_too_long_is_tried_again_alone(items: None, folder: Path) -> None:
    """The trigger lets the second batch fail once as a lock timeout does."""
    run_sql(
        """CREATE SEQUENCE tries;
           CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.id = 500 AND nextval('tries') = 1 THEN RAISE SQLSTATE '55P03'; END IF; RETURN NEW; END $$;
           CREATE TRIGGER refuses BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuses();"""
    )
    put(folder, batched("UPDATE items SET n = n + 1;"))
    assert "OK (<time>, 4 batches, 100 rows)" in applysql().out
    assert rows("SELECT count(*) FROM items WHERE n = id / 10 + 1") == [(100,)]
    run_sql("ALTER SEQUENCE tries RESTART")
    put(folder, {"002.sql": batched("UPDATE items SET n = n + 1;", "retries 0")["001.sql"]})
    assert "STOPPED HALF-WAY (<time>, 1 batch, 30 rows)" in applysql().out


def test_each_batch_has_the_timeouts(items: None, folder: Path) -> None:
    put(
        folder,
        batched(
            "INSERT INTO seen SELECT current_setting('lock_timeout'), current_setting('statement_timeout') FROM items;",
            "lock_timeout 7s",
            "statement_timeout 9s",
        ),
    )
    run_sql("CREATE TABLE seen (lock_timeout text, statement_timeout text)")
    assert applysql().code == 0
    assert rows("SELECT *, count(*) FROM seen GROUP BY 1, 2") == [("7s", "9s", 100)]


@pytest.mark.parametrize(
    ("statement", "batch", "problem", "advice"),
    [
        (
            "UPDATE bare SET n = 1;",
            "5",
            "bare has no primary key",
            "Name the columns of a unique index: batch 5000 by ",
        ),
        (
            "UPDATE bare SET n = 1;",
            "5 by id",
            "bare has no unique index on (id)",
            "Make it in an earlier file: CREATE U",
        ),
        ("UPDATE shown SET n = 1;", "5", "shown is no table", "Name the table itself."),
        ("UPDATE gone SET n = 1;", "5", "there is no table gone", "Make it in an earlier file."),
        ("UPDATE items SET id = 1;", "5", "it changes id, by which it walks", "Name another key: batch 5000 by "),
        ("INSERT INTO bare SELECT max(id) FROM items;", "5", "max() needs all rows at once", "Write the file without"),
    ],
)
def test_what_only_the_catalog_can_refuse(
    items: None, folder: Path, statement: str, batch: str, problem: str, advice: str
) -> None:
    run_sql(
        "CREATE TABLE bare (id int, n int); CREATE UNIQUE INDEX ON bare (id); CREATE VIEW shown AS SELECT * FROM items"
    )
    put(folder, batched(statement, batch=batch))
    ran = applysql()
    assert ran.code == 1
    assert f"    001.sql:2: the statement can't run in batches: {problem}" in ran.out
    assert f"    What to do: {advice}" in ran.out
    assert states() == {"001.sql": "failed"}


def test_a_revert_runs_in_batches_and_goes_on_too(items: None, folder: Path) -> None:
    run_sql("UPDATE items SET note = 'broken' WHERE id = 700")
    down = batched("UPDATE items SET n = n - 1000 + coalesce(length(note) / 0, 0);", batch="60")["001.sql"]
    put(folder, {**batched("UPDATE items SET n = n + 1000;"), "001.down.sql": down})
    assert applysql().code == 0
    assert "STOPPED HALF-WAY (<time>, 1 batch, 60 rows)" in revertsql("001.sql", "--noinput").out
    assert rows("SELECT count(*) FROM items WHERE n = id / 10") == [(60,)]
    assert "001.sql: half reverted: revertsql 001.sql goes on" in applysql().out
    run_sql("UPDATE items SET note = NULL WHERE id = 700")
    assert "REVERTED (<time>, 1 batch, 40 rows)" in revertsql("001.sql", "--noinput").out
    assert rows("SELECT count(*) FROM items WHERE n = id / 10") == [(100,)]
    assert states() == {"001.sql": "reverted"}


# Making way


def test_the_age_of_what_a_replica_has_not_replayed() -> None:
    """By the time at which it was written here, so that a replica that stands still falls behind all the same."""
    replicas = Replicas()
    seen = [
        replicas.behind_s(written, replayed, now)
        for written, replayed, now in [
            (100, 100, 0.0),  # all is replayed
            (200, 100, 1.0),
            (200, 100, 5.0),
            (300, 150, 6.0),  # some of what was written at 1.0
            (300, 200, 7.0),  # all of that; 300 was written at 6.0
            (300, 300, 8.0),
            (400, None, 9.0),  # there is no replica any more
        ]
    ]
    assert seen == [0.0, 0.0, 4.0, 5.0, 1.0, 0.0, 0.0]


def test_it_pauses_between_batches(items: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before the first one, nor behind the last; the file's own word is the last one."""
    slept: list[float] = []
    monkeypatch.setattr("sqlmigrations.runner.batches.time.sleep", slept.append)
    put(folder, batched("UPDATE items SET n = n + 1;", "pause 20ms"))
    assert applysql().code == 0
    assert slept == [0.02, 0.02, 0.02]
    assert (
        value("SELECT details->'batches'->'paused_ms' FROM sqlmigrations_migrationevent WHERE type = 'applied'") == 60
    )


def test_a_role_that_cannot_see_replicas_says_so(items: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sqlmigrations.runner.batches.fetch_dicts", lambda *_: [{"written": 1, "replayed": None, "unseen": 1}]
    )
    put(folder, batched("UPDATE items SET n = n + 1;"))
    out = applysql("-v", "2").out
    assert out.count("Note: not throttled by replicas: this role can't see how far") == 1


def test_a_replica_that_stays_behind_stops_it(items: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole batches are done by then, and the next run goes on behind them."""
    monkeypatch.setattr("sqlmigrations.runner.batches.Replicas.behind_s", lambda *_: 11.0)
    monkeypatch.setattr("sqlmigrations.runner.batches.WAITS_FOR", -1.0)
    put(folder, batched("UPDATE items SET n = n + 1;"))
    ran = applysql()
    assert "001.sql:2: A replica is 11 s behind" in ran.out
    assert ran.code == 5
    monkeypatch.undo()
    assert "Resuming 001.sql... OK (<time>, 3 batches, 70 rows)" in applysql().out
    assert rows("SELECT count(*) FROM items WHERE n = id / 10 + 1") == [(100,)]


def test_replicas_are_not_asked_for_where_nobody_wants_it(
    items: None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlmigrations.runner.batches.Replicas.behind_s", lambda *_: 11.0)
    put(folder, batched("UPDATE items SET n = n + 1;", "max_lag 0"))
    assert "OK (<time>, 4 batches, 100 rows)" in applysql().out
