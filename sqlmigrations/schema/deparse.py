"""Compares two catalogs, and looks twice where expressions differ.

What PostgreSQL writes of a stored expression isn't always what it stores when it reads that again: ``x IN ('a', 'b')``
on a ``varchar`` is one array with one cast the first time and an array of casts from then on. A dump and restore
changes such texts and nothing else. So where texts differ, both are stored once more, beside empty tables like the real
ones, and read back: what is the same then is no difference.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import psycopg

from sqlmigrations.database import Connection
from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value, last_part, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Difference, Source
from sqlmigrations.schema.trial import trial
from sqlmigrations.severity import Severity

#: Attributes that hold expressions as PostgreSQL writes them.
EXPRESSIONS = frozenset(
    {"definition", "body", "predicate", "default", "generated", "using", "with_check", "constraints"}
)

#: Kinds whose expressions can be stored beside an empty table, or by themselves.
KINDS = frozenset(
    {"column", "constraint", "index", "policy", "trigger", "rule", "statistics"}
    | {"view", "materialized view", "domain", "function", "procedure"}
)


def compare_twice(
    connection: Connection,
    expected: Catalog,
    found: Catalog,
    *,
    source: Source,
    severities: Mapping[str, Severity] | None = None,
) -> tuple[Difference, ...]:
    """Return what differs between two catalogs, also when both texts are stored once more.

    ``connection`` leads to a database that has the tables of one of them. There everything is rolled back, and no table
    gets a lock beyond ACCESS SHARE. Where the role may make no schema, or nothing may be written, the first one stands.
    """
    first = compare(expected, found, source=source, severities=severities)
    suspects = [difference for difference in first if _is_suspect(difference)]
    ours = {identity for each in suspects if (identity := Identity(each.kind, each.object)) in expected.objects}
    theirs = {
        identity
        for each in suspects
        if (identity := Identity(each.kind, each.found_object or each.object)) in found.objects
    }
    if not ours or not theirs:
        return first
    try:
        again = stored_again(connection, expected, ours), stored_again(connection, found, theirs)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
        return first
    told = {_key(difference): difference for difference in first}
    second = compare(*again, source=source, severities=severities)
    return tuple(told.get(_key(difference), difference) for difference in second)


def _is_suspect(difference: Difference) -> bool:
    return difference.kind in KINDS and (difference.attribute in EXPRESSIONS or difference.attribute == "presence")


def _key(difference: Difference) -> tuple[str, str, str, str]:
    return difference.kind, difference.object, difference.found_object, difference.attribute


def stored_again(connection: Connection, catalog: Catalog, identities: Collection[Identity]) -> Catalog:
    """Return ``catalog`` with the expressions of ``identities`` as PostgreSQL writes them when they are stored again.

    Raises:
        psycopg.errors.InsufficientPrivilege: the role may make no schema.
    """
    stage = _Stage.of(connection, catalog, identities)
    with trial(connection, stage.schemas.values()):
        for identity in sorted(identities):
            stage.make(identity)
        made = read_catalog(connection, schemas=tuple(stage.schemas.values()))
    again = {}
    for identity in identities:
        if (attributes := stage.found(made, identity)) is not None:
            again[identity] = {**catalog.objects[identity], **attributes}
    return Catalog({**catalog.objects, **again}, catalog.not_covered)


@dataclass(frozen=True)
class _Stage:
    """Schemas beside the real ones, with empty tables like the real ones."""

    connection: Connection
    objects: Mapping[Identity, Attributes]
    #: The schema beside each real one, by its name as PostgreSQL quotes it.
    schemas: Mapping[str, str]

    @classmethod
    def of(cls, connection: Connection, catalog: Catalog, identities: Collection[Identity]) -> _Stage:
        """Return the stage for ``identities``."""
        token = f"sqlm_{secrets.token_hex(6)}"
        real = sorted({split(identity.name)[0] for identity in identities})
        return cls(connection, catalog.objects, {schema: f"{token}_{number}" for number, schema in enumerate(real)})

    def make(self, identity: Identity) -> None:
        """Store an object's expressions beside an empty table; one that can't be stored is left as it is."""
        attributes = self.objects[identity]
        table = str(attributes.get("table", ""))
        try:
            with self.connection.transaction():
                if table:
                    self._make_table(table)
                for statement in _statements(identity, attributes, self._beside(table), self._beside(identity.name)):
                    self._execute(statement)
        except psycopg.Error as error:
            if error.sqlstate is None:
                raise

    def _make_table(self, table: str) -> None:
        # The names are as PostgreSQL quoted them.
        self._execute(f"CREATE TABLE IF NOT EXISTS {self._beside(table)} (LIKE {table})")

    def _execute(self, statement: str) -> None:
        """Execute one statement: in the extended protocol, which binary results need, a text can't be more than one."""
        psycopg.Cursor(self.connection).execute(statement.encode(), binary=True)

    def _beside(self, name: str) -> str:
        """Return the name that something has on the stage."""
        schema, rest = split(name)
        return f"{self.schemas[schema]}.{rest}" if name else ""

    def found(self, made: Catalog, identity: Identity) -> dict[str, Value] | None:
        """Return the expressions of an object as they were read back, or nothing if it could not be made."""
        kind = "view" if identity.kind == "materialized view" else identity.kind
        attributes = made.objects.get(Identity(kind, self._beside(identity.name)))
        if attributes is None:
            return None
        wanted = EXPRESSIONS & attributes.keys() & self.objects[identity].keys()
        return {key: self._put_back(attributes[key]) for key in wanted}

    def _put_back(self, value: Value) -> Value:
        if isinstance(value, tuple):
            return tuple(str(self._put_back(item)) for item in value)
        if isinstance(value, str):
            for real, beside in self.schemas.items():
                value = value.replace(f"{beside}.", f"{real}.")
        return value


_SCHEMA = re.compile(r'((?:"(?:[^"]|"")*"|[^."]+))\.')


def split(name: str) -> tuple[str, str]:
    """Split a qualified name into its schema, as PostgreSQL quotes it, and the rest."""
    match = _SCHEMA.match(name)
    return (match[1], name[match.end() :]) if match else ("", name)


def _statements(identity: Identity, attributes: Attributes, table: str, name: str) -> Iterator[str]:
    """Yield the statements that store an object's expressions on ``table``, all in PostgreSQL's own words."""
    own = last_part(identity.name)
    definition = str(attributes.get("definition", ""))
    real_table = str(attributes.get("table", ""))
    match identity.kind:
        case "column" if "generated" in attributes:
            yield f"ALTER TABLE {table} DROP COLUMN {own}"
            expression, _, storage = str(attributes["generated"]).rpartition(" ")
            column = f"{own} {attributes['type']} GENERATED ALWAYS AS ({expression}) {storage}"
            yield f"ALTER TABLE {table} ADD COLUMN {column}"
        case "column" if "default" in attributes:
            yield f"ALTER TABLE {table} ALTER COLUMN {own} SET DEFAULT {attributes['default']}"
        case "constraint" if attributes.get("type") in ("check", "exclusion"):
            yield f"ALTER TABLE {table} ADD CONSTRAINT {own} {definition}"
        case "index" | "trigger" | "rule":
            yield _on(definition, real_table, table)
        case "statistics":
            yield _on(definition.replace(identity.name, name, 1), real_table, table)
        case "policy":
            clauses = (("USING", "using"), ("WITH CHECK", "with_check"))
            given = "".join(f" {word} ({attributes[key]})" for word, key in clauses if key in attributes)
            yield f"CREATE POLICY {own} ON {table} FOR {attributes.get('command', 'ALL')}{given}"
        case "function" | "procedure" if "BEGIN ATOMIC" in definition and not _LOCKS.search(definition):
            yield definition.replace(identity.name.partition("(")[0], name.partition("(")[0], 1)
        case "view" | "materialized view":
            yield f"CREATE VIEW {name} AS {definition}"
        case "domain":
            constraints = attributes.get("constraints", ())
            checks = "".join(f" {each}" for each in constraints) if isinstance(constraints, tuple) else ""
            yield f"CREATE DOMAIN {name} AS {attributes['type']}{checks}"


#: Words of a body that would lock the tables it names; one without BEGIN ATOMIC is kept as it was written anyway.
_LOCKS = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|FOR)\b")


def _on(definition: str, table: str, other: str) -> str:
    """Return a definition for another table."""
    there = re.compile(rf"\b(ON ONLY|ON|TO|FROM) {re.escape(table)}(?=[\s;]|$)")
    return there.sub(lambda match: f"{match[1]} {other}", definition, count=1)
