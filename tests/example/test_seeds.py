"""Seeds can be run again at any time."""

from __future__ import annotations

import re

import pytest

from .scripts import SEEDS, Client, down, query


@pytest.mark.parametrize("name", SEEDS)
def test_a_second_run_changes_nothing(example: Client, name: str) -> None:
    """Each seed stands alone, too. Rows, audit log and sequences are compared, and where each row lies."""
    nothing = example.data()
    example.run(name)
    once = example.data()
    assert once != nothing
    example.run(name)
    assert example.data() == once


def test_down_scripts_take_the_rows_away(seeded: Client) -> None:
    query("UPDATE campaigns SET game_system_code = 'freeform' WHERE slug = 'salt-and-lanterns'")
    seeded.run(down("seed/production_defaults.sql"))
    assert query("SELECT code FROM game_systems") == [("freeform",)]
    seeded.run(down("seed/test_data.sql"))
    seeded.run(down("seed/production_defaults.sql"))
    query("TRUNCATE audit_log RESTART IDENTITY")
    assert re.findall(r"^COPY .*\n(?!\\\.)", seeded.data(), re.MULTILINE) == []
    assert query("SELECT * FROM campaign_statistics") == []


def test_test_data_keeps_what_somebody_changed(seeded: Client) -> None:
    query("UPDATE campaigns SET state = 'paused' WHERE slug = 'curse-of-the-amber-keep'")
    seeded.run("seed/test_data.sql")
    assert query("SELECT state FROM campaigns WHERE slug = 'curse-of-the-amber-keep'") == [("paused",)]


def test_production_defaults_correct_names_and_keep_choices(seeded: Client) -> None:
    query("UPDATE game_systems SET name = 'Fat Core', is_offered = false WHERE code = 'fate_core'")
    seeded.run("seed/production_defaults.sql")
    assert query("SELECT name, is_offered FROM game_systems WHERE code = 'fate_core'") == [("Fate Core", False)]
