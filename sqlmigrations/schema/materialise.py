"""Makes the tables of models for a moment, to read what PostgreSQL stores of them.

Django's schema editor makes them in schemas of their own, one for each schema that the tables are really in, inside a
transaction that is rolled back. Every table is named with its schema, so no name can lead to a table of the user's: a
foreign key to one would lock it. What a foreign key points at and is not made itself gets a stand-in.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from django.apps.registry import Apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import ForeignKey, Model
from psycopg import sql

from sqlmigrations.database import (
    Connection,
    Filled,
    apart,
    execute_together,
    fetch_all,
    fetch_dicts,
    is_lost,
    raw,
)
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query
from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value, read_catalog
from sqlmigrations.schema.scratch import NoScratch
from sqlmigrations.schema.trial import trial

#: Tables that are made in one transaction, and relations (tables, indexes, TOAST tables): each is locked until its end,
#: and a server with default settings has room for about 6,400 locks.
MOST_TABLES = 500
MOST_RELATIONS = 2_500

Models = Sequence[type[Model]]


@dataclass(frozen=True, slots=True)
class Materialised:
    """What PostgreSQL stores of models, under the names of the real tables; and why some could not be made.

    ``links`` are the tables that Django makes for many-to-many fields.
    """

    catalog: Catalog
    links: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)


def materialise(wrapper: BaseDatabaseWrapper, models: Models, apps: Apps) -> Materialised:
    """Make the tables of ``models`` and roll them back; ``apps`` are the state apps in which they were rendered.

    The models of ``apps`` are spoiled by it: their tables get other names.

    Raises:
        NoScratch: schemas can't be made in this database.
    """
    connection = raw(wrapper)
    place = _Place(**fetch_dicts(connection, query("schema/sql/expected/place.sql"))[0])
    place.check()
    workshop = _Workshop(wrapper, place, _Schemas.over(connection, place, _all_models(apps)))
    objects: dict[Identity, Attributes] = {}
    for batch in batches(models):
        objects |= workshop.make(batch)
    links = [link for model in models for link in with_links(model) if link._meta.auto_created]
    return Materialised(Catalog(objects), frozenset(map(workshop.schemas.real_name, links)), workshop.failed)


def _all_models(apps: Apps) -> list[type[Model]]:
    return apps.get_models(include_auto_created=True, include_swapped=True)


def batches(models: Models) -> Iterator[Models]:
    """Yield the models in portions of which each fits into one transaction."""
    batch: list[type[Model]] = []
    relations = 0
    for model in models:
        size = sum(_relations(each) for each in with_links(model))
        if batch and (len(batch) >= MOST_TABLES or relations + size > MOST_RELATIONS):
            yield batch
            batch, relations = [], 0
        batch.append(model)
        relations += size
    if batch:
        yield batch


def _relations(model: type[Model]) -> int:
    """Return how many relations a model's table has at most: itself, its TOAST table, indexes, stand-ins."""
    meta = model._meta
    indexed = sum(2 for each in meta.local_fields if each.unique or getattr(each, "db_index", False))
    foreign = sum(2 for each in meta.local_fields if each.is_relation)
    return 3 + indexed + foreign + len(meta.indexes) + len(meta.constraints) + len(meta.unique_together)


def with_links(model: type[Model]) -> Iterator[type[Model]]:
    """Yield a model and those that Django makes for its many-to-many fields: their tables are made with its own."""
    yield model
    for each in model._meta.local_many_to_many:
        through = each.remote_field.through
        if through is not None and through._meta.auto_created:
            yield through


@dataclass(frozen=True, slots=True)
class _Place:
    """The database in which the schemas are made."""

    is_standby: bool
    is_read_only: bool
    may_create: bool
    database: str
    role: str
    current_schema: str
    path: Sequence[str]
    extension_schemas: Sequence[str]

    def check(self) -> None:
        """Raise ``NoScratch`` where no schema can be made."""
        if self.is_standby:
            raise NoScratch(_("the server is a standby, which is read only"), _("Validate the models on its primary."))
        if self.is_read_only:
            raise NoScratch(_("the session is read only"), _("Validate as a role whose transactions may write."))
        if not self.may_create:
            raise NoScratch(
                _("role {role} may not make schemas in database {database}", role=self.role, database=self.database),
                _("GRANT CREATE ON DATABASE {database} TO {role};", database=self.database, role=self.role),
            )


class _Schemas:
    """The schemas in which tables are made, each in the place of a real one, and the new names of tables."""

    def __init__(self, tables: Mapping[str, tuple[str, str]], quoted: Mapping[str, str]) -> None:
        token = f"sqlm_{secrets.token_hex(6)}"
        made = {schema: f"{token}_{number}" for number, schema in enumerate(sorted({s for s, _ in tables.values()}))}
        self._real = {made[schema]: quoted[schema] for schema in made}
        self._tables = {name: f'"{made[schema]}"."{table}"' for name, (schema, table) in tables.items()}
        self._quoted = {
            self._tables[name]: f"{made[schema]}.{quoted[table]}" for name, (schema, table) in tables.items()
        }
        self._mention = re.compile(rf"\b({token}_[0-9]+)\.")

    @classmethod
    def over(cls, connection: Connection, place: _Place, models: Sequence[type[Model]]) -> _Schemas:
        """Find where the tables of ``models`` are, and give each model the name of the one that will be made."""
        split = {model._meta.db_table: split_name(model._meta.db_table) for model in models}
        bare = [table for schema, table in split.values() if schema is None]
        found = dict(fetch_all(connection, query("schema/sql/expected/where.sql"), {"names": bare}))
        tables = {
            name: (schema or found[table] or place.current_schema, table) for name, (schema, table) in split.items()
        }
        parts = sorted({part for parts in tables.values() for part in parts})
        quoted = _quoted(connection, parts)
        schemas = cls(tables, quoted)
        for model in models:  # Django takes a name in quotes as it is: https://code.djangoproject.com/ticket/6148
            model._meta.db_table = schemas._tables[model._meta.db_table]
        return schemas

    @property
    def made(self) -> list[str]:
        """The names of the schemas."""
        return list(self._real)

    def quoted(self, table: str) -> str:
        """Return the name of a table that is made, as PostgreSQL writes it."""
        return self._quoted[table]

    def real_name(self, model: type[Model]) -> str:
        """Return the name of a model's real table, as PostgreSQL writes it."""
        return str(self.put_back(self.quoted(model._meta.db_table)))

    def put_back(self, value: Value) -> Value:
        """Return a value with the real schemas in the place of those that were made."""
        if isinstance(value, str):
            return self._mention.sub(lambda match: f"{self._real[match[1]]}.", value)
        return tuple(str(self.put_back(item)) for item in value) if isinstance(value, tuple) else value


def _quoted(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """Return names as the catalog writes them, each in quotes only where it needs them."""
    as_in_catalog = Filled("SELECT set_config('quote_all_identifiers', 'off', true)")
    quote = Filled("SELECT name, quote_ident(name) FROM unnest(%s::text[]) AS name", [list(names)])
    with apart(connection, rolled_back=True):
        _set, answer = execute_together(connection, as_in_catalog, quote)
    return dict(answer.fetchall())


def split_name(name: str) -> tuple[str | None, str]:
    """Split a ``db_table`` into schema and table: ``"billing"."invoice"`` is the way to name a schema in Django."""
    if name.startswith('"') and name.endswith('"'):
        schema, separator, table = name[1:-1].partition('"."')
        return (schema, table) if separator else (None, schema)
    return None, name


@dataclass
class _Workshop:
    """Makes batches of models, one transaction each."""

    wrapper: BaseDatabaseWrapper
    place: _Place
    schemas: _Schemas
    failed: dict[str, str] = field(default_factory=dict)

    def make(self, models: Models) -> dict[Identity, Attributes]:
        """Return the catalog of ``models``; one that can't be made is noted, the others are made all the same."""
        narrow = [*self.schemas.made, *self.place.extension_schemas]
        try:
            return self._make(models, narrow)
        except Exception as error:  # a model may bring fields, indexes and constraints with code of their own
            if isinstance(error, psycopg.Error) and is_lost(error):
                raise
            if len(models) > 1:
                half = len(models) // 2
                return self.make(models[:half]) | self.make(models[half:])
        return self._make_alone(models[0], narrow)

    def _make_alone(self, model: type[Model], narrow: Sequence[str]) -> dict[Identity, Attributes]:
        """Make a model that may call a function or name a type of the user's, whose schema must be in the path then."""
        try:
            return self._make([model], [*narrow, *self.place.path])
        except Exception as error:  # as above
            if isinstance(error, psycopg.Error) and is_lost(error):
                raise
            self.failed[model._meta.label] = str(error).partition("\n")[0]
            return {}

    def _make(self, models: Models, path: Sequence[str]) -> dict[Identity, Attributes]:
        connection = raw(self.wrapper)
        made = [each for model in models for each in with_links(model)]
        stand_ins = _stand_ins(made, self.wrapper)
        with trial(connection, self.schemas.made, path):
            for table, columns in stand_ins.items():
                connection.execute(_stand_in(table, columns))
            with self.wrapper.schema_editor(atomic=False) as editor:
                for model in models:
                    editor.create_model(model)
            found = read_catalog(connection, schemas=self.schemas.made)
        return dict(self._real(found, {self.schemas.quoted(table) for table in stand_ins}))

    def _real(self, found: Catalog, left_out: set[str]) -> Iterator[tuple[Identity, Attributes]]:
        """Yield the objects under their real names, without the stand-ins."""
        for identity, attributes in found.objects.items():
            if identity.kind == "schema" or {identity.name, attributes.get("table")} & left_out:
                continue
            name = str(self.schemas.put_back(identity.name))
            yield (
                Identity(identity.kind, name),
                {key: self.schemas.put_back(value) for key, value in attributes.items()},
            )


def _stand_ins(models: Iterable[type[Model]], wrapper: BaseDatabaseWrapper) -> dict[str, dict[str, str]]:
    """Return the tables that foreign keys of ``models`` point at and that are none of theirs: columns with types."""
    models = list(models)
    made = {model._meta.db_table for model in models}
    needed: dict[str, dict[str, str]] = defaultdict(dict)
    for model in models:
        for each in model._meta.local_fields:
            if isinstance(each, ForeignKey) and getattr(each, "db_constraint", True):
                table = each.remote_field.model._meta.db_table
                if table not in made:
                    needed[table][str(each.target_field.column)] = each.db_type(wrapper) or ""
    return needed


def _stand_in(table: str, columns: Mapping[str, str]) -> sql.Composed:
    """Return the statement that makes a table with nothing but the columns that foreign keys point at."""
    schema, name = split_name(table)
    definitions = [
        # A type is a piece of SQL, which the field itself words; Django puts it into CREATE TABLE in the same way.
        sql.SQL("{} {} UNIQUE").format(sql.Identifier(column), sql.SQL(type))
        for column, type in columns.items()
    ]
    return sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(schema or "", name), sql.SQL(", ").join(definitions))
