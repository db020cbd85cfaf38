"""What undoes changes by hand, and which changes have no way back."""

from __future__ import annotations

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import Catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.schema.fix import Fix, fix_of, ordered, script

#: Changes that no statement makes, only a write to the catalog: they are made as they stand there.
WRITTEN = ("UPDATE pg_constraint", "UPDATE pg_index")

#: Changes that PostgreSQL has no way back from.
FOR_GOOD = {
    "ALTER EXTENSION pg_trgm UPDATE TO '1.6'": "the extension has no way down",
    "ALTER TABLE shop.dogs NO INHERIT shop.animals": "the columns stay the table's own",
}


def differences(expected: Catalog, found: Catalog) -> list[Difference]:
    """Return what differs, the order of columns aside, which nothing changes."""
    found_all = compare(expected, found, source=Source.SNAPSHOT)
    return [each for each in found_all if each.attribute != "column_order"]


def fixes(expected: Catalog, found: Catalog) -> tuple[Fix, ...]:
    """Return what brings the database of ``found`` to ``expected``, in order."""
    return ordered(fix_of(difference, expected, found) for difference in differences(expected, found))


def run(connection: Connection, done: tuple[Fix, ...], *, concurrently: bool = True) -> None:
    """Run the statements of fixes; those that would run CONCURRENTLY can only do so outside a transaction."""
    for statement in script(done):
        text = statement.sql if concurrently else statement.sql.replace(" CONCURRENTLY", "")
        connection.execute(text.encode())
