"""Words how a finding is mended: the Django operation first where a model owns the object, then SQL.

Lock levels are those of https://www.postgresql.org/docs/current/explicit-locking.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, LiteralString

from django.apps import apps
from django.db.models import Field, Model
from psycopg import sql

from sqlmigrations.health.base import Fix, FixKind, Subject
from sqlmigrations.messages import gettext as _
from sqlmigrations.messages import joined

#: Names of indexes in Django are at most so long.
DJANGO_NAME_LENGTH = 30

#: What Django ends the names of its own indexes with.
_HASH = re.compile(r"[0-9a-f]{8}")

OUTSIDE = _("can't run in a transaction (in a SQL file: -- sqlmigrations: transaction off)")

#: How CREATE INDEX CONCURRENTLY goes about it.
BESIDE_WRITERS = joined("; ", [_("takes ShareUpdateExclusive, reads and writes go on"), OUTSIDE])


def statement(template: LiteralString, *names: sql.Composable) -> Fix:
    """Return a SQL fix; ``{}`` in the template stand for the names, in order."""
    return Fix(FixKind.SQL, composed(template, *names))


def composed(template: LiteralString, *names: sql.Composable) -> str:
    """Return SQL with the names put in, quoted where they must be."""
    return sql.SQL(template).format(*names).as_string()


def noted(template: LiteralString, *names: sql.Composable, note: str) -> Fix:
    """Return a SQL fix with a note on its locks and transactions."""
    return Fix(FixKind.SQL, composed(template, *names), note)


def relation(subject: Subject) -> sql.Identifier:
    """Return the qualified table of a subject."""
    return sql.Identifier(subject.schema, subject.table)


def named(subject: Subject) -> sql.Identifier:
    """Return the qualified name of an index or a sequence."""
    return sql.Identifier(subject.schema, subject.name)


def columns(names: Sequence[str]) -> sql.Composed:
    """Return a list of columns."""
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


# Models


def model_of(subject: Subject) -> type[Model] | None:
    """Return the model whose migrations own the subject's table; an unmanaged one owns nothing."""
    known = _owners(tuple(apps.get_models(include_auto_created=True)))
    return known.get(f"{subject.schema}.{subject.table}")


@lru_cache(maxsize=1)
def _owners(models: tuple[type[Model], ...]) -> Mapping[str, type[Model]]:
    """Return the model that owns each qualified table; a name without a schema is one of ``public``."""
    found: dict[str, type[Model]] = {}
    for model in models:
        if model._meta.managed and not model._meta.proxy:
            table = model._meta.db_table.strip('"').replace('"."', ".")
            found.setdefault(table, model)
            found.setdefault(f"public.{table}", model)
    return found


def fields_of(model: type[Model], names: Sequence[str]) -> list[Field[Any, Any]]:
    """Return the model's fields of these columns; none where one column is no field's."""
    by_column = {field.column: field for field in model._meta.concrete_fields}
    return [by_column[name] for name in names] if all(name in by_column for name in names) else []


def label(model: type[Model]) -> str:
    """Return where a model is written."""
    return f"{model.__module__}.{model.__qualname__}"


def django_name(*parts: str) -> str:
    """Return a name that Django takes for an index or a constraint."""
    return "_".join(parts)[:DJANGO_NAME_LENGTH].rstrip("_")


# Indexes


def add_index(subject: Subject, names: Sequence[str], *, is_partitioned: bool = False) -> tuple[Fix, ...]:
    """Return how to index columns of a table without keeping writers out."""
    if is_partitioned:
        by_hand = noted(
            "CREATE INDEX ON ONLY {} ({});",
            relation(subject),
            columns(names),
            note=_("then CREATE INDEX CONCURRENTLY on each partition, and ALTER INDEX ... ATTACH PARTITION for each"),
        )
        return (*_django_index(subject, names), by_hand)
    by_hand = noted(
        "CREATE INDEX CONCURRENTLY ON {} ({});",
        relation(subject),
        columns(names),
        note=BESIDE_WRITERS,
    )
    return (*_django_index(subject, names), by_hand)


def _django_index(subject: Subject, names: Sequence[str]) -> tuple[Fix, ...]:
    model = model_of(subject)
    fields = fields_of(model, names) if model is not None else []
    if model is None or not fields:
        return ()
    if len(fields) == 1 and getattr(fields[0], "db_index", False):
        return ()  # the model has it already: the database has lost it
    index = f'models.Index(fields={[field.name for field in fields]!r}, name="{django_name(*_short(subject, names))}")'
    return (
        Fix(
            FixKind.DJANGO,
            f'AddIndexConcurrently("{model._meta.model_name}", {index})',
            _("and the index in Meta.indexes of {model}; the migration needs atomic = False", model=label(model)),
        ),
    )


def _short(subject: Subject, names: Sequence[str]) -> tuple[str, ...]:
    """Return parts of an index name that leave room for its end."""
    room = DJANGO_NAME_LENGTH - len("_idx")
    return ("_".join([subject.table, *names])[:room].rstrip("_"), "idx")


def drop_index(subject: Subject, *, note: str = "") -> tuple[Fix, ...]:
    """Return how to drop an index that backs no constraint, without keeping readers and writers out."""
    model = model_of(subject)
    by_hand = noted(
        "DROP INDEX CONCURRENTLY {};",
        named(subject),
        note=joined("; ", [note or _("writers and readers go on"), OUTSIDE]),
    )
    field = _indexed_field(model, subject.name) if model is not None else None
    if model is not None and field is not None:
        kind = f"models.{type(field).__name__}(..., db_index=False)"
        less = Fix(
            FixKind.DJANGO,
            f'AlterField("{model._meta.model_name}", "{field.name}", {kind})',
            _(
                "and db_index=False in {model}, or Django expects it back; drops it under AccessExclusive",
                model=label(model),
            ),
        )
        return less, by_hand
    if model is None or subject.name not in [index.name for index in model._meta.indexes]:
        return (by_hand,)
    operation = Fix(
        FixKind.DJANGO,
        f'RemoveIndexConcurrently("{model._meta.model_name}", "{subject.name}")',
        _("and out of Meta.indexes of {model}; the migration needs atomic = False", model=label(model)),
    )
    return operation, by_hand


def _indexed_field(model: type[Model], name: str) -> Field[Any, Any] | None:
    """Return the field whose ``db_index`` made an index, as Django names it: table, column, a hash."""
    for field in model._meta.local_concrete_fields:
        start = f"{model._meta.db_table}_{field.column}_"
        is_named = name.startswith(start) and _HASH.fullmatch(name.removeprefix(start)) is not None
        if is_named and getattr(field, "db_index", False) and not model._meta.auto_created:
            return field
    return None


def rebuild_index(subject: Subject) -> tuple[Fix, ...]:
    """Return how to build an index anew."""
    return (
        noted(
            "REINDEX INDEX CONCURRENTLY {};",
            named(subject),
            note=BESIDE_WRITERS,
        ),
    )


# Constraints


def validate_constraint(subject: Subject) -> tuple[Fix, ...]:
    """Return how to have all rows checked, without keeping readers and writers out."""
    by_hand = noted(
        "ALTER TABLE {} VALIDATE CONSTRAINT {};",
        relation(subject),
        sql.Identifier(subject.name),
        note=_("reads the whole table under ShareUpdateExclusive; reads and writes go on"),
    )
    model = model_of(subject)
    if model is None:
        return (by_hand,)
    operation = Fix(
        FixKind.DJANGO,
        f'ValidateConstraint("{model._meta.model_name}", "{subject.name}")',
        _("in a migration of its own"),
    )
    return operation, by_hand


def validate_of_domain(subject: Subject) -> tuple[Fix, ...]:
    """Return how to have all values of a domain checked; ``subject`` has it for its table."""
    by_hand = noted(
        "ALTER DOMAIN {} VALIDATE CONSTRAINT {};",
        relation(subject),
        sql.Identifier(subject.name),
        note=_("reads each table that has a column of it, under Share: writers wait meanwhile"),
    )
    return (by_hand,)


def add_primary_key(subject: Subject, candidates: Sequence[str], *, has_id: bool) -> tuple[Fix, ...]:
    """Return how to give a table a primary key: from a unique index or an ``id`` that it has, else anew."""
    if candidates:
        return (
            noted(
                "ALTER TABLE {} ADD PRIMARY KEY USING INDEX {};",
                relation(subject),
                sql.Identifier(candidates[0]),
                note=_("takes AccessExclusive for a moment: the index and its NOT NULLs are there already"),
            ),
        )
    if has_id:
        return (
            noted(
                "ALTER TABLE {} ADD PRIMARY KEY (id);",
                relation(subject),
                note=_(
                    "where no id is NULL or there twice; it reads the table under AccessExclusive: for a "
                    "large one CREATE UNIQUE INDEX CONCURRENTLY first, then ADD PRIMARY KEY USING INDEX"
                ),
            ),
        )
    return (
        noted(
            "ALTER TABLE {} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;",
            relation(subject),
            note=_(
                "rewrites the table under AccessExclusive; on a large one add the column, fill it in "
                "batches, index it CONCURRENTLY, then ADD PRIMARY KEY USING INDEX"
            ),
        ),
    )


def add_partitioned_primary_key(subject: Subject, partition_columns: Sequence[str]) -> Fix:
    """Return how to give a partitioned table with an ``id`` a primary key, which has to hold its partition key.

    https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-LIMITATIONS
    """
    columns = dict.fromkeys(["id", *partition_columns])
    return noted(
        "ALTER TABLE {} ADD PRIMARY KEY ({});",
        relation(subject),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        note=_(
            "where none of them is NULL and no two rows have the same; it reads all partitions under AccessExclusive. "
            "The key of a partitioned table has to hold the columns that it is partitioned by"
        ),
    )


def attach_partitions(subject: Subject) -> Fix:
    """Return how to make a partitioned index valid."""
    return noted(
        "ALTER INDEX {} ATTACH PARTITION ...;",
        named(subject),
        note=_("for each partition, once CREATE INDEX CONCURRENTLY has made its index"),
    )


def add_foreign_key(subject: Subject, table: str, column: str, *, is_of_model: bool) -> tuple[Fix, ...]:
    """Return how to add a foreign key to a table of the same schema; writers go on while it is checked."""
    name = django_name(subject.table, *subject.columns, "fk")
    by_hand = noted(
        "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) NOT VALID;",
        relation(subject),
        sql.Identifier(name),
        columns(subject.columns),
        sql.Identifier(subject.schema, table),
        sql.Identifier(column),
        note=_(
            "takes ShareRowExclusive on both tables for a moment; then VALIDATE CONSTRAINT in "
            "another transaction, once no row points at nothing"
        ),
    )
    model = model_of(subject) if is_of_model else None
    fields = fields_of(model, subject.columns) if model is not None else []
    if model is None or not fields:
        return (by_hand,)
    operation = Fix(
        FixKind.DJANGO,
        f'AlterField("{model._meta.model_name}", "{fields[0].name}", models.ForeignKey(..., db_constraint=True))',
        _("in {model}; it checks all rows under ShareRowExclusive on both tables", model=label(model)),
    )
    return operation, by_hand


def drop_foreign_key(subject: Subject) -> tuple[Fix, ...]:
    """Return how to drop a foreign key that another one repeats; nothing rests on it."""
    return (
        noted(
            "ALTER TABLE {} DROP CONSTRAINT {};",
            relation(subject),
            sql.Identifier(subject.name),
            note=_("takes AccessExclusive on both tables for a moment: set lock_timeout"),
        ),
    )


# Columns


def change_type(subject: Subject, type: LiteralString) -> tuple[Fix, ...]:
    """Return how to give a column another type; ``type`` as ``format_type`` writes it."""
    by_hand = noted(
        "ALTER TABLE {} ALTER COLUMN {} TYPE {};",
        relation(subject),
        columns(subject.columns),
        sql.SQL(type),
        note=_(
            "rewrites the table under AccessExclusive; a large one gets a new column, filled in batches, swapped in"
        ),
    )
    model = model_of(subject)
    fields = fields_of(model, subject.columns) if model is not None else []
    if model is None or not fields:
        return (by_hand,)
    kind = "BigAutoField" if fields[0].primary_key and type == "bigint" else "..."
    operation = Fix(
        FixKind.DJANGO,
        f'AlterField("{model._meta.model_name}", "{fields[0].name}", models.{kind}(...))',
        _("in {model}; the same rewrite and lock", model=label(model)),
    )
    return operation, by_hand
