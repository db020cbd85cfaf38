"""Up, down and up again over the whole example, through our own commands; and what the history makes of it."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from sqlmigrations.service.validate import ValidateOptions, validate
from tests.helpers import Settings, applysql, rows, run_sql, states, value

from .scripts import FOLDER, REPEATABLE, SEEDS, VERSIONED, Client


@pytest.fixture(autouse=True)
def example(settings: Settings, empty: Client) -> Client:
    """Point the settings at the example's folder and the alias at a database that has our tables."""
    settings.SQLMIGRATIONS_DIRS = [FOLDER]
    call_command("migrate", "sqlmigrations", verbosity=0)
    return empty


def up() -> None:
    assert applysql("--to", VERSIONED[-1]).code == 0
    assert applysql().code == 0
    assert applysql(*(option for seed in SEEDS for option in ("--seed", seed))).code == 0


def down() -> None:
    call_command("revertsql", to="zero", interactive=False, stdout=io.StringIO())


def chain_breaks(head: str | None = None) -> list[tuple[str, str]]:
    """Return what is wrong with the chain: which event, and why."""
    report = validate(ValidateOptions(history=True, expect_head=head))
    return [(found.object, found.found) for found in report.differences if found.attribute == "chain"]


def head() -> str:
    return str(value("SELECT hash FROM sqlmigrations_migrationevent ORDER BY id DESC LIMIT 1"))


def tamper(statement: str) -> None:
    """Change events as only an owner can who switches the triggers off."""
    disabled, enabled = (
        f"ALTER TABLE sqlmigrations_migrationevent {what} TRIGGER ALL" for what in ("DISABLE", "ENABLE")
    )
    run_sql(f"{disabled}; {statement}; {enabled}")


def test_up_down_and_up_again(example: Client) -> None:
    everything = VERSIONED + REPEATABLE + SEEDS
    before = example.schema()
    up()
    above = example.schema()
    assert above != before
    assert states() == dict.fromkeys(sorted(everything), "applied")
    down()
    assert example.schema() == before
    assert states() == dict.fromkeys(sorted(everything), "reverted")
    assert applysql("--check").code == 0
    call_command("applysql", *VERSIONED, *REPEATABLE, stdout=io.StringIO())
    up()
    assert example.schema() == above
    assert states() == dict.fromkeys(sorted(everything), "applied")

    happened = dict(rows("SELECT filename, array_agg(type ORDER BY id) FROM sqlmigrations_migrationevent GROUP BY 1"))
    forth, back = ["started", "applied"], ["started", "reverted"]
    assert happened == {name: [*forth, *back, *forth] for name in everything}
    assert chain_breaks() == []


def test_one_flipped_byte_is_located_and_a_cut_tail_found() -> None:
    up()
    last = head()
    (victim,) = rows(
        "SELECT id FROM sqlmigrations_migrationevent WHERE filename = %s AND type = 'applied'", VERSIONED[5]
    )
    original = value("SELECT role FROM sqlmigrations_migrationevent WHERE id = %s", *victim)
    flip = "UPDATE sqlmigrations_migrationevent SET role = {} WHERE id = {}"
    tamper(flip.format("chr(ascii(role) # 1) || substr(role, 2)", *victim))
    assert chain_breaks() == [(f"event {victim[0]}", "its values are not those that its hash was made of")]
    tamper(flip.format(f"'{original}'", *victim))
    assert chain_breaks(last) == []

    tamper("DELETE FROM sqlmigrations_migrationevent WHERE id > (SELECT max(id) - 4 FROM sqlmigrations_migrationevent)")
    assert chain_breaks() == []  # what is left fits together
    ((where, why),) = chain_breaks(last)
    assert where == "head"
    assert why.endswith(f"events up to {head()}, none of which is that")
