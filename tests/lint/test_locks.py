"""The lock table: it is what the server at hand does, the linter agrees with it, and the rules name its entries."""

from __future__ import annotations

import pytest

from sqlmigrations.lint.actions import actions
from sqlmigrations.lint.base import RULES, Rule
from sqlmigrations.lint.taken_locks import BLOCKING, taken
from tests.lint.conftest import Connection, Copy
from tests.lint.helpers import look, source
from tests.lint.lock_table import STRENGTH, lock_table, strongest
from tests.lint.measure_locks import SINCE, STATEMENTS, measure, read

IN_TRANSACTION = [id for id, text in STATEMENTS.items() if "transaction off" not in text]
OUTSIDE = [id for id in STATEMENTS if id not in IN_TRANSACTION]
#: What the linter doesn't count as a lock on a table of before: indexes of domains, and what needs no file to itself.
NOT_FORESEEN = {
    "change-column-type-referenced": "told by change-type-locks-others",
    "alter-domain-constraint": "the tables of a domain are known to the catalog alone",
    "drop-foreign-key": "the other table is known to the catalog alone",
    "drop-index": "the table of an index is known to the catalog alone",
    "drop-table": "the tables that foreign keys point to are known to the catalog alone",
    "add-column-references": "told by references-locks-other",
    "create-table-references": "told by references-locks-other",
    "reindex-table": "told by reindex-blocking",
    "attach-partition": "told by attach-partition",
    "attach-partition-proven": "told by attach-partition",
    "detach-partition": "the partition beside its parent",
}


def skip_if_unknown(id: str, connection: Connection) -> int:
    """Return the server's version; skip what it doesn't know."""
    version = connection.info.server_version // 10000
    if version < SINCE.get(id, 0):
        pytest.skip(f"PostgreSQL {version} has no such statement")
    return version


@pytest.mark.parametrize("id", IN_TRANSACTION)
def test_the_server_does_what_the_table_says(id: str, live: Connection) -> None:
    version = skip_if_unknown(id, live)
    assert measure(live, id) == read()[id]["versions"].get(str(version), measure(live, id))


@pytest.mark.parametrize("id", OUTSIDE)
def test_the_server_does_so_outside_a_transaction(id: str, copy: Copy) -> None:
    with copy() as connection:
        version = skip_if_unknown(id, connection)
        found = measure(connection, id)
        assert found == read()[id]["versions"].get(str(version), found)


def test_the_table_holds_every_statement_of_the_versions_that_are_tested() -> None:
    assert list(lock_table()) == list(STATEMENTS)
    for id, entry in lock_table().items():
        assert entry.sql == STATEMENTS[id]
        assert set(entry.versions) == {version for version in (15, 18) if version >= SINCE.get(id, 0)}


@pytest.mark.parametrize("id", STATEMENTS)
def test_the_linter_foresees_the_locks_that_keep_others_out(id: str) -> None:
    foreseen: dict[str, str] = {}
    for statement in source(STATEMENTS[id]).statements:
        for action in actions(statement):
            for table, mode in taken(action):
                foreseen[table[-1]] = max(mode, foreseen.get(table[-1], mode), key=STRENGTH.index)
    measured = {table: mode for table, mode in lock_table()[id].newest.locks.items() if mode in BLOCKING}
    assert (foreseen != measured) is (id in NOT_FORESEEN)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.lock], ids=lambda rule: rule.id)
def test_every_rule_with_a_lock_names_an_entry_that_it_finds(rule: Rule) -> None:
    found = {one.rule.id for one in look(STATEMENTS[rule.lock])}
    assert rule.id in found
    assert strongest(rule.lock) in ("", *STRENGTH)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.slow and rule.lock], ids=lambda rule: rule.id)
def test_what_is_called_slow_was_seen_to_work(rule: Rule) -> None:
    newest = lock_table()[rule.lock].newest
    rows = rule.lock in ("update-all", "delete-all", "alter-domain-constraint")
    assert newest.work or rows
