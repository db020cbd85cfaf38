"""Reads all objects of a database that are its users', each with what tells it from another: the catalog.

About twenty queries read everything, whatever the number of tables. Expressions and definitions are deparsed by
PostgreSQL itself under an empty ``search_path``: every name in them is qualified, and the texts of two databases can be
compared. Left out are what belongs to an extension, what a partition has from its parent, and this package's own
objects, whose names begin with ``sqlmigrations_``. No right on an object is needed to read it; a hot standby will do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from sqlmigrations.database import Answer, Connection, ask_together, fetch_all
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.garbage import without_collections
from sqlmigrations.messages import gettext as _
from sqlmigrations.queries import query
from sqlmigrations.schema import reader
from sqlmigrations.schema.reader import Reader

#: A plain value of an attribute; what has none is left out of its object's attributes.
Value = str | bool | int | float | tuple[str, ...]
Attributes = Mapping[str, Value]


class CatalogBusy(SQLMigrationsError):
    """The catalog can't be read at the moment; ``reason`` says why, without a full stop."""

    def __init__(self, message: str, *, reason: str, hint: str) -> None:
        self.reason = reason
        super().__init__(message, hint=hint)


class Identity(NamedTuple):
    """What an object is called: its kind, and its name as PostgreSQL qualifies and quotes it.

    ``public.users`` is a table and ``public.users.email`` its column; constraints, triggers, rules and policies are
    named in the same way, below their table. A function has the types of its arguments: ``public.total(integer)``.
    """

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """The objects of a database, how many there are of kinds that are not read, and who read them."""

    objects: Mapping[Identity, Attributes] = field(default_factory=dict)
    not_covered: Mapping[str, int] = field(default_factory=dict)
    reader: Reader = field(default_factory=lambda: reader.CURRENT)

    @property
    def counts(self) -> dict[str, int]:
        """How many objects there are of each kind, sorted by kind."""
        return dict(sorted(Counter(identity.kind for identity in self.objects).items()))


#: Attributes that say where an object belongs, or how to make it again; they are never a difference by themselves.
PLACING = frozenset({"table", "position"})


#: Kinds of relations, which have columns, indexes and the like.
RELATIONS = ("table", "foreign table", "view", "materialized view")

#: Kinds that are named below their table.
BELOW_TABLES = frozenset({"column", "constraint", "trigger", "rule", "policy"})

#: Kinds that belong to a table and are named beside it.
BESIDE_TABLES = ("index", "statistics")


def last_part(name: str) -> str:
    """Return the last part of a qualified name, quotes and arguments kept."""
    if '"' not in name and "(" not in name:
        return name.rpartition(".")[2]
    match = _LAST.search(name)
    return match[0] if match else name


_LAST = re.compile(r'(?:"(?:[^"]|"")*"|[^."]+)(?:\(.*\))?$')


def container(name: str) -> str:
    """Return what stands before the last part of a name: a schema or a table."""
    return name[: -len(last_part(name)) - 1]


def table_in_name(identity: Identity) -> str:
    """Return the table that an object's name begins with; nothing for kinds that are named otherwise."""
    return container(identity.name) if identity.kind in BELOW_TABLES else ""


def table_of(attributes: Attributes) -> str:
    """Return the name of the table that an object belongs to, or nothing."""
    return str(attributes.get("table", ""))


#: Kinds by the query that reads them, each with the system catalog whose oids its rows carry.
_IN_SCHEMAS = {
    "schemas": "pg_namespace",
    "types": "pg_type",
    "relations": "pg_class",
    "columns": "pg_class",
    "constraints": "pg_constraint",
    "indexes": "pg_class",
    "sequences": "pg_class",
    "functions": "pg_proc",
    "aggregates": "pg_proc",
    "triggers": "pg_trigger",
    "rules": "pg_rewrite",
    "policies": "pg_policy",
    "statistics": "pg_statistic_ext",
}
_IN_DATABASE = {
    "extensions": "pg_extension",
    "event_triggers": "pg_event_trigger",
    "publications": "pg_publication",
    "servers": "pg_foreign_server",
    "foreign_data_wrappers": "pg_foreign_data_wrapper",
    "default_privileges": "pg_default_acl",
}

#: What is read of all objects at once, and the attribute that it becomes.
_ADDED = {"grants": "grants", "comments": "comment"}

#: What can be read of some schemas or relations alone.
_FILTERED = _IN_SCHEMAS.keys() | _ADDED.keys()

#: A row of a system catalog: the catalog, the oid, the number of the column or 0.
_Address = tuple[str, int, int]


def read_catalog(
    connection: Connection, *, schemas: Collection[str] | None = None, relations: Collection[int] | None = None
) -> Catalog:
    """Read the objects of the database, or those of ``schemas`` alone, as of one moment.

    If ``relations`` are given, the oids of tables, views and sequences, no other ones are read, nor what belongs to
    other ones; whatever is of another kind is.

    The read is a read-only transaction of its own, or rides in the open one and leaves it as it was.

    Raises:
        CatalogBusy: somebody has locked a table for longer than ``LOCK_TIMEOUT``, or changes objects meanwhile.
    """
    try:
        with without_collections():
            return _read(connection, schemas, relations)
    except psycopg.errors.LockNotAvailable as error:
        reason = _("The schema can't be read: somebody has locked a table for longer than {time}", time=LOCK_TIMEOUT)
        hint = _("Try it again when that is done; pg_stat_activity shows who works.")
        raise CatalogBusy(f"{reason}.", reason=reason, hint=hint) from error
    except psycopg.errors.InternalError_ as error:  # "cache lookup failed": dropped between two looks
        said = str(error).strip()
        reason = _("The schema can't be read while it is being changed: {error}", error=said)
        raise CatalogBusy(reason, reason=reason, hint=_("Try it again.")) from error


def read_not_covered(connection: Connection) -> dict[str, int]:
    """Return how many objects of the user there are of each kind that ``read_catalog`` doesn't read."""
    return dict(fetch_all(connection, query("schema/sql/catalog/not_covered.sql")))


def _read(connection: Connection, schemas: Collection[str] | None, relations: Collection[int] | None) -> Catalog:
    parameters = {
        "schemas": None if schemas is None else list(schemas),
        "relations": None if relations is None else list(relations),
    }
    catalogs = _IN_SCHEMAS if schemas is not None else _IN_SCHEMAS | _IN_DATABASE
    names = [*catalogs, *_ADDED, *(["not_covered"] if schemas is None else [])]
    found: dict[Identity, dict[str, Value]] = {}
    by_address: dict[_Address, dict[str, Value]] = {}
    not_covered: dict[str, int] = {}
    with closing(_answers(connection, names, parameters)) as answers:
        for name, answer in answers:
            if name in catalogs:
                for oid, subid, identity, attributes in _rows(connection, answer):
                    found[identity] = by_address[catalogs[name], oid, subid] = attributes
            elif name in _ADDED:
                for catalog, oid, subid, value in answer.fetchall():
                    if (catalog, oid, subid) in by_address:
                        added = tuple(value) if isinstance(value, list) else value
                        by_address[catalog, oid, subid][_ADDED[name]] = added
            else:
                not_covered = dict(answer.fetchall())
    return Catalog(found, not_covered)


def _answers(
    connection: Connection, names: Sequence[str], parameters: Mapping[str, Any]
) -> Generator[tuple[str, Answer], None, None]:
    """Yield the answers to the queries, all of which are asked in one message."""
    binding = psycopg.ClientCursor(connection)
    texts = [
        binding.mogrify(query(f"schema/sql/catalog/{name}.sql"), parameters if name in _FILTERED else None)
        for name in names
    ]
    with closing(at_one_moment(connection, map(sql.SQL, texts))) as answers:
        yield from zip(names, answers, strict=True)


def read_fingerprint(connection: Connection) -> str:
    """Return a short text that changes whenever an object of the database does; sometimes also when none did.

    Another reader's is another text.
    """
    with closing(at_one_moment(connection, [FINGERPRINT])) as answers:
        return as_fingerprint(next(answers))


def as_fingerprint(answer: Answer) -> str:
    """Return the fingerprint from the answer to ``FINGERPRINT``."""
    ((fingerprint,),) = answer.fetchall()
    return f"{reader.CURRENT.version}:{fingerprint}"


#: What the fingerprint is asked by.
FINGERPRINT = query("schema/sql/fingerprint.sql")


#: How long a read may wait for a table that somebody has locked; PostgreSQL opens the tables of what it deparses.
LOCK_TIMEOUT = "2s"

#: An empty ``search_path`` and a patience, how PostgreSQL writes expressions and values, and no parallel workers: to
#: start them takes longer than they save.
_MANNERS = sql.SQL(
    "SELECT set_config('search_path', '', true), set_config('lock_timeout', {}, true),"
    " set_config('quote_all_identifiers', 'off', true), set_config('extra_float_digits', '1', true),"
    " set_config('DateStyle', 'ISO, YMD', true), set_config('IntervalStyle', 'postgres', true),"
    " set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true),"
    " set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"
).format(LOCK_TIMEOUT)

#: What opens one moment's view, and what leaves the session as it was: in a transaction of its own, or in an open one.
_OWN = ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ["ROLLBACK"])
_WITHIN = (
    "SAVEPOINT sqlmigrations_read",
    [f"{end} SAVEPOINT sqlmigrations_read" for end in ("ROLLBACK TO", "RELEASE")],
)


def at_one_moment(connection: Connection, queries: Iterable[sql.Composable]) -> Generator[Answer, None, None]:
    """Yield the answers to queries that see the same moment: with what belongs around them, in one message.

    Over a network each message costs a round trip, whatever it asks for.
    """
    is_own = connection.info.transaction_status is TransactionStatus.IDLE
    begin, ends = _OWN if is_own else _WITHIN
    asked = [sql.SQL(begin), _MANNERS, *queries]
    try:
        with closing(ask_together(connection, [*asked, *map(sql.SQL, ends)])) as answers:
            yield from islice(answers, 2, len(asked))
            for _end in answers:
                pass
    except BaseException:
        if not connection.closed and connection.info.transaction_status is TransactionStatus.INERROR:
            for end in ends:
                connection.execute(end)
        raise


def _rows(connection: Connection, answer: Answer) -> Iterator[tuple[int, int, Identity, dict[str, Value]]]:
    """Yield the rows of one query: oid, number of the column, identity, and the attributes that have a value."""
    columns = answer.columns[4:]
    names = [name for name, _type in columns]
    lists = {name for name, type in columns if _is_array(connection, type)}
    for row in answer.fetchall():
        attributes = {attribute: value for attribute, value in zip(names, row[4:], strict=True) if value is not None}
        for attribute in attributes.keys() & lists:
            if attributes[attribute]:
                attributes[attribute] = tuple(attributes[attribute])
            else:
                del attributes[attribute]
        yield row[0], row[1], Identity(row[2], row[3]), attributes


def _is_array(connection: Connection, oid: int) -> bool:
    """Tell whether a type is an array of another one."""
    info = connection.adapters.types.get(oid)
    return info is not None and info.array_oid == oid
