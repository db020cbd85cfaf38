"""What the example's tables do: triggers, audit log, constraints, row security, search, partitions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, transaction

from .scripts import query

MIRA, TOBIAS, ZOE = (UUID(f"10000000-0000-4000-8000-00000000000{number}") for number in (1, 2, 3))
KEEP = UUID("20000000-0000-4000-8000-000000000001")
BALDRIC, YSOLDE, NINE_FINGERS, LADY = (UUID(f"30000000-0000-4000-8000-00000000000{number}") for number in (1, 2, 3, 4))
CLOCK = UUID("60000000-0000-4000-8000-000000000002")

pytestmark = pytest.mark.usefixtures("world")

#: A role that every server has, that owns nothing and that is no superuser.
SITE = "pg_monitor"


@contextmanager
def acting(person: UUID | str, role: str = "none") -> Iterator[None]:
    """Say who is at the keyboard, as the site does for each request; ``role`` is the database role it has."""
    query("SELECT set_config('tabletop.user_id', %s, true)", str(person))
    query(f"SET LOCAL ROLE {role}")
    yield
    query("SET LOCAL ROLE none")
    query("SELECT set_config('tabletop.user_id', '', true)")


def refusal(sql: str) -> str | None:
    """Execute a statement that must fail; return the constraint that refuses it, or else the SQLSTATE."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        query(sql)
    cause = caught.value.__cause__
    assert isinstance(cause, psycopg.Error)
    return cause.diag.constraint_name or cause.sqlstate


@pytest.mark.parametrize(
    "table", ["users", "campaigns", "characters", "character_connections", "sessions", "quests", "campaign_notes"]
)
def test_an_update_moves_updated_at(table: str) -> None:
    query(f"UPDATE {table} SET updated_at = '2001-01-01'")
    assert query(f"SELECT DISTINCT updated_at > created_at FROM {table}") == [(True,)]


def test_the_audit_log_tells_who_changed_what() -> None:
    query("TRUNCATE audit_log")
    with acting(MIRA):
        query("UPDATE quests SET reward_gold = 600 WHERE id = %s", CLOCK)
    query("DELETE FROM quests WHERE id = %s", CLOCK)
    assert query(
        "SELECT action, table_name, row_id, changed_by, old_row ->> 'reward_gold', new_row ->> 'reward_gold' "
        "FROM audit_log ORDER BY id"
    ) == [("UPDATE", "quests", CLOCK, MIRA, "500", "600"), ("DELETE", "quests", CLOCK, None, "600", None)]


@pytest.mark.parametrize(
    ("statement", "entries"),
    [
        ("UPDATE quests SET title = title", 0),
        ("UPDATE quests SET title = title || '!'", 3),
        ("UPDATE sessions SET summary = 'We met.'", 4),
        ("UPDATE campaign_notes SET body = 'Forget it.'", 0),
        ("UPDATE campaign_notes SET is_private = false", 1),
        ("DELETE FROM character_connections", 3),
        ("DELETE FROM session_attendance", 0),
    ],
)
def test_the_audit_log_gets_an_entry_per_change(statement: str, entries: int) -> None:
    query("TRUNCATE audit_log")
    query(statement)
    assert query("SELECT count(*) FROM audit_log") == [(entries,)]


@pytest.mark.parametrize(
    ("table", "left_out"), [("quests", {"updated_at", "search"}), ("campaign_notes", {"updated_at", "body"})]
)
def test_the_audit_log_leaves_out_what_is_not_its_business(table: str, left_out: set[str]) -> None:
    columns = {
        name
        for (name,) in query("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", table)
    }
    logged = {
        name
        for (name,) in query("SELECT DISTINCT jsonb_object_keys(new_row) FROM audit_log WHERE table_name = %s", table)
    }
    assert columns - logged == left_out


def test_who_may_change_a_row_cannot_touch_the_audit_log() -> None:
    query(f"GRANT SELECT, UPDATE ON quests TO {SITE}")
    query("TRUNCATE audit_log")
    with acting(TOBIAS, SITE):
        query("UPDATE quests SET title = 'Stop the clock' WHERE id = %s", CLOCK)
        assert refusal("INSERT INTO audit_log (row_id, table_name, action) SELECT id, 'x', 'y' FROM quests") == "42501"
    assert query("SELECT action, new_row ->> 'title' FROM audit_log") == [("UPDATE", "Stop the clock")]


@pytest.mark.parametrize(
    ("refused_by", "statement"),
    [
        ("users_email_key", "UPDATE users SET email = 'MIRA@example.com' WHERE display_name = 'Kwame'"),
        ("users_email_check", "UPDATE users SET email = 'nowhere'"),
        ("users_display_name_check", "UPDATE users SET display_name = ' '"),
        ("users_properties_check", "UPDATE users SET properties = '[]'"),
        ("campaigns_game_master_id_fkey", f"DELETE FROM users WHERE id = '{MIRA}'"),
        ("campaigns_state_check", "UPDATE campaigns SET state = 'lost'"),
        ("campaigns_name_check", "UPDATE campaigns SET name = ''"),
        ("campaigns_slug_check", "UPDATE campaigns SET slug = 'Amber Keep'"),
        ("campaigns_slug_key", "UPDATE campaigns SET slug = 'salt'"),
        ("23502", "UPDATE campaigns SET slug = NULL"),
        ("campaigns_game_system_code_fkey", "UPDATE campaigns SET game_system_code = 'chess'"),
        ("campaigns_properties_check", "UPDATE campaigns SET properties = '1'"),
        ("characters_level_check", "UPDATE characters SET level = 21"),
        ("characters_level_check", "UPDATE characters SET level = 0"),
        ("characters_name_check", "UPDATE characters SET name = ''"),
        ("characters_properties_check", "UPDATE characters SET properties = 'null'"),
        ("character_connections_kind_check", "UPDATE character_connections SET kind = 'stranger'"),
        ("character_connections_ends_check", "UPDATE character_connections SET target_id = source_id"),
        (
            "character_connections_source_id_target_id_kind_key",
            "INSERT INTO character_connections (source_id, target_id, kind) "
            "SELECT source_id, target_id, kind FROM character_connections",
        ),
        ("sessions_state_check", "UPDATE sessions SET state = 'late'"),
        ("sessions_times_check", "UPDATE sessions SET ends_at = starts_at"),
        ("sessions_number_check", "UPDATE sessions SET number = 0"),
        ("sessions_campaign_id_number_key", "UPDATE sessions SET number = 7"),
        (
            "sessions_campaign_id_times_excl",
            "UPDATE sessions SET starts_at = '2026-09-04 21:00+00' WHERE number = 2",
        ),
        ("quests_state_check", "UPDATE quests SET state = 'forgotten', completed_at = NULL"),
        ("quests_completed_at_check", "UPDATE quests SET state = 'completed'"),
        ("quests_completed_at_check", "UPDATE quests SET state = 'failed'"),
        ("quests_reward_gold_check", "UPDATE quests SET reward_gold = -1"),
        ("quests_title_check", "UPDATE quests SET title = ' '"),
        ("quests_properties_check", "UPDATE quests SET properties = '\"x\"'"),
        ("22P02", "UPDATE quests SET priority = 'whenever'"),
        ("dice_rolls_sides_check", "UPDATE dice_rolls SET sides = 7, results = '{1}'"),
        ("dice_rolls_results_check", "UPDATE dice_rolls SET results = '{0}'"),
        ("dice_rolls_results_check", "UPDATE dice_rolls SET results = '{6,7}', sides = 6"),
        ("dice_rolls_results_check", "UPDATE dice_rolls SET results = '{}'"),
        ("campaign_notes_body_check", "UPDATE campaign_notes SET body = ''"),
        ("game_systems_code_check", "UPDATE game_systems SET code = '5e'"),
    ],
)
def test_constraints_refuse(refused_by: str, statement: str) -> None:
    assert refusal(statement) == refused_by


@pytest.mark.parametrize(
    "statement",
    [
        # One begins when another ends; a cancelled one does not count.
        "UPDATE sessions SET starts_at = '2026-09-04 22:00+00' WHERE number = 2",
        "UPDATE sessions SET starts_at = '2026-09-04 18:00+00' WHERE number = 3",
        "UPDATE character_connections SET source_id = target_id, target_id = source_id",
        "UPDATE users SET email = upper(email)",
        "UPDATE campaigns SET game_system_code = 'freeform'",
    ],
)
def test_constraints_allow(statement: str) -> None:
    query(statement)


@pytest.mark.parametrize(
    ("reader", "bodies"),
    [
        (
            MIRA,
            [
                "The Amber Lady is Ysolde's grandmother. Reveal at the clock.",
                "The number of windows is not the same from outside.",
            ],
        ),
        (TOBIAS, ["The number of windows is not the same from outside."]),
        ("", ["The number of windows is not the same from outside."]),
    ],
)
def test_private_notes_are_for_their_authors(reader: UUID | str, bodies: list[str]) -> None:
    query(f"GRANT SELECT ON campaign_notes TO {SITE}")
    with acting(reader, SITE):
        assert query("SELECT body FROM campaign_notes ORDER BY id") == [(body,) for body in bodies]


def test_notes_are_changed_by_their_authors_alone() -> None:
    query(f"GRANT SELECT, INSERT, UPDATE ON campaign_notes TO {SITE}")
    with acting(ZOE, SITE):
        assert query("UPDATE campaign_notes SET is_private = true RETURNING author_id") == [(ZOE,)]
        insert = f"INSERT INTO campaign_notes (campaign_id, author_id, body) VALUES ('{KEEP}', '{{}}', 'Mine.')"
        query(insert.format(ZOE))
        assert refusal(insert.format(MIRA)) == "42501"


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("clock", ["Wind the great clock"]),
        ("doors", ["Find a way out"]),
        ("horse OR striking", ["The missing horse", "Wind the great clock"]),
        ("dragon", []),
    ],
)
def test_quests_are_found_by_their_words(words: str, titles: list[str]) -> None:
    found = query("SELECT title FROM quests WHERE search @@ websearch_to_tsquery('english', %s) ORDER BY title", words)
    assert found == [(title,) for title in titles]


def test_the_search_column_follows_its_text() -> None:
    query("UPDATE quests SET title = 'Feed the dragon' WHERE id = %s", CLOCK)
    assert query("SELECT id FROM quests WHERE search @@ to_tsquery('english', 'dragon')") == [(CLOCK,)]


def test_priorities_sort_by_urgency() -> None:
    assert query("SELECT priority::text FROM quests ORDER BY quests.priority DESC") == [
        ("urgent",),
        ("high",),
        ("low",),
    ]


@pytest.mark.parametrize(
    ("moment", "partition"),
    [
        ("2025-12-31 23:59:59.999999+00", "dice_rolls_2025"),
        ("2026-01-01 00:00:00+00", "dice_rolls_2026"),
        ("2027-06-01 00:00:00+00", "dice_rolls_2027"),
        ("1974-01-26 00:00:00+00", "dice_rolls_default"),
        ("2042-01-01 00:00:00+00", "dice_rolls_default"),
    ],
)
def test_a_roll_goes_to_the_partition_of_its_year(moment: str, partition: str) -> None:
    assert query(
        "INSERT INTO dice_rolls (session_id, rolled_at, sides, results) "
        "SELECT id, %s, 20, '{12}' FROM sessions LIMIT 1 RETURNING tableoid::regclass::text",
        moment,
    ) == [(partition,)]


@pytest.mark.parametrize(
    ("start", "steps", "reached"),
    [
        (NINE_FINGERS, 0, []),
        (NINE_FINGERS, 1, [(BALDRIC, 1)]),
        (NINE_FINGERS, 3, [(BALDRIC, 1), (YSOLDE, 2), (LADY, 3)]),
        (YSOLDE, 9, [(BALDRIC, 1), (LADY, 1), (NINE_FINGERS, 2)]),
    ],
)
def test_connected_characters(start: UUID, steps: int, reached: list[tuple[UUID, int]]) -> None:
    assert query("SELECT * FROM connected_characters(%s, %s)", start, steps) == reached


def test_connected_characters_survive_a_circle() -> None:
    query(
        f"INSERT INTO character_connections (source_id, target_id, kind) VALUES ('{LADY}', '{NINE_FINGERS}', 'rival')"
    )
    assert query("SELECT * FROM connected_characters(%s, 50)", LADY) == [(YSOLDE, 1), (NINE_FINGERS, 1), (BALDRIC, 2)]


def test_the_statistics_can_be_refreshed_while_they_are_read() -> None:
    figures = (
        "SELECT characters, quests_completed, sessions_played, hours_played::text "
        "FROM campaign_statistics WHERE campaign_id = %s"
    )
    assert query(figures, KEEP) == [(4, 1, 2, "7.5")]
    query("UPDATE sessions SET state = 'played' WHERE number = 3")
    assert query(figures, KEEP) == [(4, 1, 2, "7.5")]
    query("REFRESH MATERIALIZED VIEW CONCURRENTLY campaign_statistics")
    assert query(figures, KEEP) == [(4, 1, 3, "11.5")]


def test_the_overview_has_a_row_per_campaign() -> None:
    assert query(
        "SELECT name, state, game_master, characters, active_quests, next_session_at IS NOT NULL "
        "FROM campaign_overview ORDER BY name"
    ) == [
        ("Curse of the Amber Keep", "active", "Mira", 4, 1, True),
        ("Salt and Lanterns", "planned", "Tobias", 0, 0, False),
        ("The Clockmaker's Daughter", "completed", "Mira", 0, 0, False),
    ]


def test_every_foreign_key_has_an_index() -> None:
    assert (
        query(
            """
        SELECT conrelid::regclass::text, conname
          FROM pg_constraint
         WHERE contype = 'f'
           AND conparentid = 0
           AND NOT EXISTS (
               SELECT FROM pg_index
                WHERE indrelid = conrelid AND indisvalid AND indpred IS NULL AND indkey[0] = conkey[1]
           )
        """
        )
        == []
    )


def test_every_table_and_view_is_explained() -> None:
    assert (
        query(
            """
        SELECT oid::regclass::text
          FROM pg_class
         WHERE relnamespace = 'public'::regnamespace
           AND relkind IN ('r', 'p', 'v', 'm')
           AND NOT relispartition
           AND obj_description(oid, 'pg_class') IS NULL
        """
        )
        == []
    )


def test_a_player_who_leaves_leaves_the_character_behind() -> None:
    query("DELETE FROM users WHERE id = %s", ZOE)
    assert query("SELECT player_id FROM characters WHERE id = %s", YSOLDE) == [(None,)]
