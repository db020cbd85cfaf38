"""Versions of the schema: what each run left, kept so that a change by hand is found afterwards.

A version is the hash of each object's text by kind and name, in buckets; the texts are kept once each. All is written
by SQL composed with the schema in which the history's tables were found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from sqlmigrations import __version__
from sqlmigrations.database import Connection, Filled, apart, execute_together, fetch_all, fetch_row, fillable
from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.garbage import without_collections
from sqlmigrations.history import Tables
from sqlmigrations.schema.buckets import Buckets, ByRelation, all_of, as_bytes, from_bytes
from sqlmigrations.schema.catalog import (
    BESIDE_TABLES,
    RELATIONS,
    Attributes,
    Catalog,
    Identity,
    table_in_name,
    table_of,
)
from sqlmigrations.schema.reader import Part, Reader


class SnapshotDamaged(SQLMigrationsError):
    """A version of the schema can't be read any more."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the schema, without its objects.

    ``fingerprint`` is empty where the database was never just this; ``unfinished`` tells of a run that is changing the
    schema at the moment, or was ended before it could say what it had changed.
    """

    id: int
    at: datetime
    reason: str
    files: tuple[str, ...]
    role: str
    counts: Mapping[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    unfinished: Mapping[str, Any] | None = None


def has_snapshots(connection: Connection, tables: Tables | None) -> bool:
    """Tell whether the tables of the snapshots are there."""
    if tables is None:
        return False
    names = [name.as_string(connection) for name in (tables.snapshot, _texts(tables))]
    statement = "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL"
    return bool(fetch_row(connection, statement, names)[0])


def read_versions(connection: Connection, tables: Tables, *, last: int | None = None) -> list[Version]:
    """Return the versions, the newest first; only the ``last`` ones if that is given."""
    statement = sql.SQL(
        "SELECT id, at, reason, files, role, counts, fingerprint, unfinished FROM {} ORDER BY id DESC LIMIT %s"
    ).format(tables.snapshot)
    return [
        Version(id, at, reason, tuple(files), role, counts, fingerprint, unfinished)
        for id, at, reason, files, role, counts, fingerprint, unfinished in fetch_all(connection, statement, [last])
    ]


def latest(connection: Connection, tables: Tables | None) -> Version | None:
    """Return the newest version, if there is any."""
    if tables is None:
        return None
    try:
        with apart(connection):
            return next(iter(read_versions(connection, tables, last=1)), None)
    except psycopg.errors.UndefinedTable:
        return None


@dataclass(frozen=True, slots=True)
class Packed:
    """The objects of a version as they are kept: hashes, how many objects there are of each kind, texts by hash.

    Texts that the version before has can be left out.
    """

    buckets: Buckets
    counts: Mapping[str, int]
    texts: Mapping[str, str]
    reader: Reader

    def as_bytes(self) -> bytes:
        """Return the hashes, compressed, with who read the objects."""
        since = [[*part, version] for part, version in sorted(self.reader.since.items())]
        return as_bytes(self.buckets, {"reader": self.reader.version, "since": since})


@dataclass(frozen=True, slots=True)
class Fetched:
    """The objects of a version as they were kept, with all texts."""

    hashes: ByRelation
    texts: Mapping[str, str]
    reader: Reader

    def unpack(self) -> Catalog:
        """Return the objects."""
        with without_collections():
            return Catalog(dict(self._objects()), reader=self.reader)

    def _objects(self) -> Iterator[tuple[Identity, Attributes]]:
        """Yield the objects from their texts, which are read in one go."""
        read = dict(zip(self.texts, map(_read, json.loads(f"[{','.join(self.texts.values())}]")), strict=True))
        for below in self.hashes.values():
            for kind, of_kind in below.items():
                for name, hash in of_kind.items():
                    identity = Identity(kind, name)
                    yield identity, _placed(identity, read[hash])


def fetch(connection: Connection, tables: Tables, id: int) -> Fetched:
    """Return the objects of a version, still packed.

    Raises:
        SnapshotDamaged: it isn't there, or some of its texts aren't.
    """
    buckets, reader = _load(connection, tables, id)
    hashes = buckets.read()
    wanted = sorted(all_of(hashes))
    statement = sql.SQL("SELECT hash, text FROM {} WHERE hash = ANY (%s)").format(_texts(tables))
    texts = dict(fetch_all(connection, statement, [wanted]))
    if missing := len(wanted) - len(texts):
        raise SnapshotDamaged(
            f"Version {id} of the schema can't be read: {missing} of its texts are gone.",
            hint="Accept the schema as it is: manage.py validateschema --accept --reason TEXT",
        )
    return Fetched(hashes, texts, reader)


def load(connection: Connection, tables: Tables, id: int) -> Catalog:
    """Return the objects of a version. Raises ``SnapshotDamaged``."""
    return fetch(connection, tables, id).unpack()


def pack(catalog: Catalog) -> Packed:
    """Return the objects of a catalog as they are kept; pure."""
    hashes, texts = _hashed(catalog)
    return Packed(Buckets.of(hashes), catalog.counts, texts, catalog.reader)


def patched(buckets: Buckets, counts: Mapping[str, int], found: Catalog, relations: Iterable[str]) -> Packed:
    """Return objects as they are now, of which ``found`` has those that had to be read again; pure.

    ``buckets`` and ``counts`` are those of all as they were; ``relations`` the names that the relations had then which
    were read again or are gone. Only relations and what belongs to them can be kept.
    """
    hashes, texts = _hashed(found)
    now = buckets.patched(["", *relations], hashes)
    return Packed(now, now.counts(buckets, counts), texts, found.reader)


def _hashed(catalog: Catalog) -> tuple[ByRelation, dict[str, str]]:
    """Return the hash of each object's text, and the texts by hash."""
    hashes: ByRelation = {}
    texts: dict[str, str] = {}
    for identity, attributes in catalog.objects.items():
        text = _write(identity, attributes)
        hash = hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
        hashes.setdefault(_relation(identity, attributes), {}).setdefault(identity.kind, {})[identity.name] = hash
        texts[hash] = text
    return hashes, texts


def _relation(identity: Identity, attributes: Attributes) -> str:
    """Return the name of the relation that an object is or belongs to; nothing for what is read whole each time."""
    if identity.kind in BESIDE_TABLES:
        return table_of(attributes)
    return identity.name if identity.kind in (*RELATIONS, "sequence") else table_in_name(identity)


def read_buckets(connection: Connection, tables: Tables, id: int) -> Buckets:
    """Return the hashes of the objects of a version: two versions with the same ones are the same.

    Raises:
        SnapshotDamaged: it isn't there.
    """
    return _load(connection, tables, id)[0]


def store(
    connection: Connection,
    tables: Tables,
    packed: Packed,
    *,
    reason: str,
    files: Sequence[str],
    fingerprint: str,
    before: tuple[int, Buckets] | None,
    keep: int,
) -> int:
    """Add a version behind the newest one, ``before``, whose note it takes away; return its number.

    All versions but the ``keep`` newest ones are removed, and the texts that none of these has. All in one message.
    """
    values = [reason, Jsonb(list(files)), __version__, Jsonb(packed.counts), packed.as_bytes(), fingerprint]
    with apart(connection):
        inserted, *_others = execute_together(
            connection,
            Filled(_insert(tables), values),
            *_text_statements(tables, packed, instead_of=before),
            *([Filled(_end(tables), [before[0]])] if before else []),
            Filled(_prune(tables), [max(keep, 1)]),
        )
    [(number,)] = inserted.fetchall()
    return int(number)


def store_again(connection: Connection, tables: Tables, version: Version, packed: Packed) -> None:
    """Put objects in the place of those of the newest version: what today's reader says of the same ones."""
    before = version.id, read_buckets(connection, tables, version.id)
    values = [packed.as_bytes(), Jsonb(packed.counts), __version__, version.id]
    with apart(connection):
        execute_together(
            connection,
            Filled(_replace(tables), values),
            *_text_statements(tables, packed, instead_of=before),
        )


def note_unfinished(connection: Connection, tables: Tables, id: int, what: Mapping[str, Any]) -> None:
    """Note in a version what begins to change the schema."""
    statement = sql.SQL("UPDATE {} SET unfinished = %s WHERE id = %s").format(tables.snapshot)
    connection.execute(statement, [Jsonb(dict(what)), id])


def note_finished(connection: Connection, tables: Tables, id: int, fingerprint: str) -> None:
    """Note that what began to change the schema has ended, and left it as a version says, with this fingerprint."""
    statement = sql.SQL("UPDATE {} SET unfinished = NULL, fingerprint = %s WHERE id = %s").format(tables.snapshot)
    connection.execute(statement, [fingerprint, id])


def note_fingerprint(connection: Connection, tables: Tables, id: int, fingerprint: str) -> None:
    """Note the fingerprint of catalogs that are just what a version says; an empty one where they aren't."""
    statement = sql.SQL("UPDATE {} SET fingerprint = %s WHERE id = %s AND fingerprint <> %s").format(tables.snapshot)
    connection.execute(statement, [fingerprint, id, fingerprint])


def move(kept: Catalog, before: Catalog, after: Catalog) -> Catalog:
    """Return ``kept`` with what changed between ``before`` and ``after``, and nothing else; pure.

    What was drift before stays drift: an attribute that didn't change in between keeps its value of ``kept``, and an
    object that somebody made by hand doesn't come in because an attribute of it was changed.
    """
    objects = dict(kept.objects)
    for identity in before.objects.keys() | after.objects.keys():
        was, now = before.objects.get(identity), after.objects.get(identity)
        if was == now:
            continue
        if now is None:
            objects.pop(identity, None)
        elif was is None:
            objects[identity] = now
        elif identity in objects:
            objects[identity] = _changed(objects[identity], was, now)
        elif was.get("definition") != now.get("definition"):
            objects[identity] = now
    return Catalog(objects, after.not_covered)


def absorb(kept: Catalog, found: Catalog, identities: Iterable[Identity]) -> Catalog:
    """Return ``kept`` with the named objects as they are in ``found``; pure."""
    objects = dict(kept.objects)
    for identity in identities:
        if identity in found.objects:
            objects[identity] = found.objects[identity]
        else:
            objects.pop(identity, None)
    return Catalog(objects, found.not_covered)


def renewed(kept: Catalog, found: Catalog) -> Catalog:
    """Return ``kept``, which another reader made, as the reader of ``found`` would have made it; pure.

    Only what one of the two does not read, or words otherwise, is taken from ``found``: all else stays, drift included.
    """
    parts = kept.reader.unlike(found.reader)
    kinds = {kind for kind, attribute in parts if not attribute}
    objects = {
        identity: _with_parts(identity, attributes, found.objects.get(identity, {}), parts)
        for identity, attributes in kept.objects.items()
        if identity.kind not in kinds
    }
    objects |= {identity: attributes for identity, attributes in found.objects.items() if identity.kind in kinds}
    return Catalog(objects, found.not_covered, found.reader)


def without(catalog: Catalog, parts: Collection[Part]) -> Catalog:
    """Return a catalog without some parts of it; pure."""
    objects = {
        identity: _with_parts(identity, attributes, {}, parts)
        for identity, attributes in catalog.objects.items()
        if (identity.kind, "") not in parts
    }
    return replace(catalog, objects=objects)


def _with_parts(identity: Identity, attributes: Attributes, found: Attributes, parts: Collection[Part]) -> Attributes:
    """Return attributes, some parts of them as they were ``found``."""
    own = {attribute for kind, attribute in parts if kind == identity.kind}
    if not own:
        return attributes
    kept = {key: value for key, value in attributes.items() if key not in own}
    return kept | {key: value for key, value in found.items() if key in own}


def _changed(kept: Attributes, was: Attributes, now: Attributes) -> Attributes:
    """Return attributes of ``kept``, those aside that differ between ``was`` and ``now``."""
    values = dict(kept)
    for key in was.keys() | now.keys():
        if was.get(key) == now.get(key):
            continue
        if key in now:
            values[key] = now[key]
        else:
            values.pop(key, None)
    return values


# The tables and texts


def _texts(tables: Tables) -> sql.Identifier:
    return sql.Identifier(tables.schema, "sqlmigrations_schematext")


def _load(connection: Connection, tables: Tables, id: int) -> tuple[Buckets, Reader]:
    statement = sql.SQL("SELECT objects FROM {} WHERE id = %s").format(tables.snapshot)
    rows = fetch_all(connection, statement, [id])
    if not rows:
        raise SnapshotDamaged(
            f"There is no version {id} of the schema.", hint="List them with: manage.py validateschema --versions"
        )
    buckets, said = from_bytes(bytes(rows[0][0]))
    if "reader" not in said:  # before versions named their reader
        return buckets, Reader()
    since = {(kind, attribute): version for kind, attribute, version in said["since"]}
    return buckets, Reader(said["reader"], since)


# What is written in one message


_VALUE = sql.Placeholder()


def _insert(tables: Tables) -> str:
    """Return the statement that adds a version; its answer is the version's number."""
    return fillable(
        sql.SQL(
            "INSERT INTO {} (reason, files, tool, server, counts, objects, fingerprint)"
            " VALUES ({}, {}, {}, current_setting('server_version'), {}, {}, {}) RETURNING id"
        ).format(tables.snapshot, *[_VALUE] * 6)
    )


def _replace(tables: Tables) -> str:
    """Return the statement that puts other objects into a version."""
    statement = sql.SQL("UPDATE {} SET objects = {}, counts = {}, tool = {} WHERE id = {}")
    return fillable(statement.format(tables.snapshot, *[_VALUE] * 4))


def _end(tables: Tables) -> str:
    """Return the statement that takes the note away from a version."""
    return fillable(sql.SQL("UPDATE {} SET unfinished = NULL WHERE id = {}").format(tables.snapshot, _VALUE))


def _prune(tables: Tables) -> str:
    """Return the statement that removes all versions but so many, and what only they had; mostly it is neither."""
    return fillable(
        sql.SQL(
            "WITH removed AS (DELETE FROM {0} WHERE id < (SELECT min(id) FROM"
            " (SELECT id FROM {0} ORDER BY id DESC LIMIT {2}) AS newest) RETURNING id)"
            " DELETE FROM {1} WHERE EXISTS (SELECT FROM removed) AND until <= (SELECT max(id) FROM removed)"
        ).format(tables.snapshot, _texts(tables), _VALUE)
    )


def _text_statements(tables: Tables, packed: Packed, *, instead_of: tuple[int, Buckets] | None) -> list[Filled]:
    """Return what stores the texts that the version before has not, and notes which ones it was the last to have."""
    number, before = instead_of or (0, Buckets(()))
    gone, new = packed.buckets.gone_and_new(before)
    texts = {hash: text for hash, text in packed.texts.items() if hash in new}
    statements = []
    if texts:
        insert = sql.SQL(
            "INSERT INTO {} AS kept (hash, text) SELECT * FROM unnest({}::text[], {}::text[])"
            " ON CONFLICT (hash) DO UPDATE SET until = NULL WHERE kept.until IS NOT NULL"
        ).format(_texts(tables), _VALUE, _VALUE)
        statements.append(Filled(fillable(insert), [list(texts), list(texts.values())]))
    if gone:
        update = sql.SQL("UPDATE {} SET until = {} WHERE hash = ANY ({}::text[])")
        statements.append(Filled(fillable(update.format(_texts(tables), _VALUE, _VALUE)), [number, sorted(gone)]))
    return statements


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _write(identity: Identity, attributes: Attributes) -> str:
    """Return attributes as text, the same for the same ones; a table that the name tells is left out."""
    kept = {key: value for key, value in attributes.items() if key != "table" or value != table_in_name(identity)}
    return _ENCODER.encode(kept)


def _read(values: Mapping[str, Any]) -> Attributes:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _placed(identity: Identity, attributes: Attributes) -> Attributes:
    """Return attributes with the table that the name tells."""
    table = "" if "table" in attributes else table_in_name(identity)
    return {**attributes, "table": table} if table else attributes
