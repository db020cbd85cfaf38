"""Writes the SQL that brings a database back to what it should be; pure.

Indexes are built concurrently, constraints added NOT VALID and validated behind, names changed by renaming. What drops
data is marked, and printed as a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, container, last_part
from sqlmigrations.schema.difference import Difference
from sqlmigrations.schema.fix import making
from sqlmigrations.schema.fix.altering import Alteration, alter
from sqlmigrations.schema.fix.making.columns import beside_column
from sqlmigrations.schema.fix.making.views import view_column
from sqlmigrations.schema.fix.order import ORDER, mentions, names_part
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    comment_on,
    set_grants,
    values,
)

__all__ = ["Fix", "Statement", "everything", "fix_of", "ordered", "script"]


@dataclass(frozen=True, slots=True)
class Fix:
    """The statements that undo one difference, in order; none where no statement can, and ``note`` says why.

    ``names`` are the objects that it makes or gives their names, ``text`` all that it speaks of. ``turn`` orders the
    changes of one object.
    """

    difference: Difference
    statements: tuple[Statement, ...]
    note: str = ""
    names: frozenset[str] = frozenset()
    text: str = ""
    rank: int = 0
    turn: int = 0

    @property
    def in_transaction(self) -> bool:
        """Whether it can run inside a transaction block."""
        return not any(statement.alone for statement in self.statements)

    @property
    def sql(self) -> str:
        """The statements as they are printed."""
        return "\n".join(statement.text for statement in self.statements)


#: The order of fixes where none names what another makes.
_DROP, _ALTER, _RENAME, _MAKE = range(4)

#: Why nothing can be done about an attribute.
_NOTES = {
    "column_order": "PostgreSQL keeps the order of columns for good; only a new table has another.",
    "partition_key": "A table can't be partitioned otherwise; make a new one and move the rows.",
}


def fix_of(difference: Difference, expected: Catalog, found: Catalog) -> Fix:
    """Return what undoes ``difference`` in the database that ``found`` is of."""
    turn = 0
    wanted = Identity(difference.kind, difference.object)
    present = Identity(difference.kind, difference.found_object or difference.object)
    if difference.attribute == "column_order":
        return Fix(difference, (), _NOTES["column_order"])
    if difference.attribute != "presence":
        statements, rank = _altered(difference, wanted, present, expected, found)
        turn = _turn(difference.attribute, expected.objects.get(wanted, {}))
        names = {wanted.name} if difference.attribute == "name" else set()
    elif wanted in expected.objects:
        statements, rank = _made(wanted, expected, found), _MAKE
        names = {wanted.name}
    else:
        statements, rank = _dropped(present, expected, found), _DROP
        names = set()
    done = tuple(one if isinstance(one, Statement) else Statement(one) for one in statements)
    note = "" if done else _NOTES.get(difference.attribute, "No statement of PostgreSQL changes that; make it anew.")
    text = "\n".join([*(one.sql for one in done), str(dict(found.objects.get(present, {})))])
    return Fix(difference, done, note, frozenset(names), text, rank, turn)


def _altered(
    difference: Difference, wanted: Identity, present: Identity, expected: Catalog, found: Catalog
) -> tuple[Statements, int]:
    before, after = found.objects.get(present), expected.objects.get(wanted)
    if before is None or after is None:
        return iter(()), _ALTER
    change = Alteration(present, difference.attribute, after, before, expected, found, wanted)
    return alter(change), _RENAME if difference.attribute == "name" else _ALTER


def _turn(attribute: str, wanted: Attributes) -> int:
    """Return when an attribute is changed among those of its object.

    A default that is to go makes way for another type or an identity; a default, a NULL or a bound that is to be may
    need them. A publication of all tables lists none.
    """
    if attribute == "all_tables":
        return 3 if wanted.get(attribute) else 0
    if attribute == "default" and attribute not in wanted:
        return 0
    return 1 if attribute in ("type", "identity") else 2


def _made(identity: Identity, expected: Catalog, found: Catalog) -> Statements:
    attributes = expected.objects[identity]
    inherited = _inherited(identity, attributes, expected, found)
    if inherited is not None:
        yield from _column_between(identity, attributes, inherited, expected, found)
        return
    if _is_of_view(attributes, expected):
        yield from view_column(identity, attributes)
        yield from beside_column(identity, attributes)
        return
    yield from making.make(identity, expected, found)


def _dropped(identity: Identity, expected: Catalog, found: Catalog) -> Statements:
    attributes = found.objects.get(identity, {})
    if identity.kind == "default privileges":
        yield from set_grants(identity, (), values(attributes.get("grants")))
        return
    inherited = _inherited(identity, attributes, found, found)
    if inherited is not None:
        yield from _column_between(identity, inherited, attributes, expected, found)
        return
    if _is_of_view(attributes, found):
        yield from _nothing_of_view(identity, attributes)
        return
    yield making.drop(identity, attributes)
    if attributes.get("type") == "primary key":
        yield from _nullable_again(attributes, expected, found)


def _nullable_again(key: Attributes, expected: Catalog, found: Catalog) -> Statements:
    """Yield what lets the columns of a primary key have NULLs again, which it leaves NOT NULL behind."""
    for name in values(key.get("columns")):
        column = Identity("column", f"{key['table']}.{name}")
        if found.objects.get(column, {}).get("not_null") and not expected.objects.get(column, {}).get("not_null"):
            yield f"ALTER TABLE {key['table']} ALTER COLUMN {name} DROP NOT NULL"


def _is_of_view(attributes: Attributes, catalog: Catalog) -> bool:
    table = str(attributes.get("table", ""))
    views = (Identity("view", table), Identity("materialized view", table))
    return "position" in attributes and any(view in catalog.objects for view in views)


def _nothing_of_view(identity: Identity, attributes: Attributes) -> Statements:
    yield from set_grants(identity, (), values(attributes.get("grants")))
    if "comment" in attributes:
        yield comment_on(identity, None)
    if "default" in attributes:
        yield f"ALTER VIEW {attributes['table']} ALTER COLUMN {last_part(identity.name)} DROP DEFAULT"


def _inherited(identity: Identity, attributes: Attributes, own: Catalog, catalog: Catalog) -> Attributes | None:
    """Return the column of a parent that a column is inherited from, if it is."""
    if identity.kind != "column":
        return None
    table = own.objects.get(Identity("table", container(identity.name)), {})
    parents = [*values(table.get("inherits")), *filter(None, [str(table.get("partition_of", ""))])]
    for parent in parents:
        column = Identity("column", f"{parent}.{last_part(identity.name)}")
        if column in catalog.objects:
            return {**catalog.objects[column], "table": attributes["table"]}
    return None


def _column_between(
    identity: Identity, wanted: Attributes, present: Attributes, expected: Catalog, found: Catalog
) -> Statements:
    """Yield what leads a column from one set of attributes to another."""
    attributes = sorted((wanted.keys() | present.keys()) - {"table", "position", "identity_sequence"})
    for attribute in sorted(attributes, key=lambda attribute: _turn(attribute, wanted)):
        if wanted.get(attribute) != present.get(attribute):
            yield from alter(Alteration(identity, attribute, wanted, present, expected, found, identity))


# Several


def everything(catalog: Catalog) -> Iterator[Statement]:
    """Yield the statements that make all objects of a catalog in a new database."""
    for one in making.make_everything(catalog):
        yield one if isinstance(one, Statement) else Statement(one)


def ordered(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """Sort fixes so that each comes behind those that make what it names, and before those that drop it."""
    waiting = sorted(fixes, key=_place)
    done: list[Fix] = []
    while waiting:
        free = next((fix for fix in waiting if not any(_before(other, fix) for other in waiting)), waiting[0])
        done.append(free)
        waiting.remove(free)
    return tuple(done)


def _place(fix: Fix) -> tuple[int, int, str, int]:
    """Return where a fix stands if nothing else says so; what is dropped goes in the other direction."""
    kind = ORDER.index(fix.difference.kind)
    return fix.rank, -kind if fix.rank == _DROP else kind, fix.difference.object, fix.turn


def _before(first: Fix, second: Fix) -> bool:
    """Tell whether a fix has to come before another."""
    if first is second:
        return False
    if any(mentions(second.text, name) for name in first.names if name not in second.names):
        return True
    return second.rank == _DROP and first.rank <= _ALTER and _speaks_of(first.text, second.difference)


def _speaks_of(text: str, gone: Difference) -> bool:
    """Tell whether a text names what is dropped; columns stand there without their table."""
    if gone.kind == "column":
        return mentions(text, container(gone.object)) and names_part(text, last_part(gone.object))
    return mentions(text, gone.object)


def script(fixes: Iterable[Fix]) -> Iterator[Statement]:
    """Yield the statements of several fixes, in order."""
    for fix in ordered(fixes):
        yield from fix.statements
