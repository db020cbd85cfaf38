"""Finds the relations that moved since a roster of all was made, so that the others need not be read again.

Catalog rows tell by ``xmin`` that they were written since, and digests on the roster that rows are gone. With a
relation of which anything was written goes every other one whose text may say a name of it, as PostgreSQL's own record
of dependencies has it, and every one that inherits from it. Where anything else moved whose name such texts can say (a
type was altered, a function or a schema renamed, an operator made), it isn't tried: then all has to be read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import dataclass

import psycopg
from psycopg import sql

from sqlmigrations.database import Answer, Connection
from sqlmigrations.queries import query
from sqlmigrations.schema.catalog import FINGERPRINT, as_fingerprint, at_one_moment

#: Hashes of what texts of relations can say beside relations' names, by catalog and oid.
Words = Mapping[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Roster:
    """The relations of a database with digests of their parts, as of one moment.

    ``since`` is the oldest transaction that may have been open; the lists are kept as the server writes them.
    """

    fingerprint: str
    since: str
    relations: str
    digests: str
    named: str
    names: str
    words: Words


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved since a roster was made.

    ``relations`` are the oids of those that have to be read again, None where all has to be; ``names`` are the names
    that these had.
    """

    fingerprint: str
    relations: frozenset[int] | None
    names: frozenset[str]


def _relation_of(catalog: str, oid: str) -> sql.Composed:
    """Return what says which relation an object is part of, given by the columns that have its catalog and its oid."""
    text = query("schema/sql/moved/relation_of.sql")
    return text.format(catalog=sql.SQL(catalog), oid=sql.SQL(oid))


_PARTS = query("schema/sql/moved/parts.sql")
_ROSTER = query("schema/sql/moved/roster.sql").format(parts=_PARTS)
_WORDS = query("schema/sql/moved/words.sql")
_RELATIONS = query("schema/sql/moved/relations.sql").format(
    parts=_PARTS,
    commented=_relation_of("note.classoid", "note.objoid"),
    reached=_relation_of("reached.classid", "reached.oid"),
)


def read_roster(connection: Connection) -> Roster:
    """Return the roster, and the fingerprint of the same moment."""
    statements = [FINGERPRINT, _ROSTER, _WORDS]
    with closing(at_one_moment(connection, statements)) as answers:
        fingerprint = as_fingerprint(next(answers))
        [(since, relations, digests, named, names)] = next(answers).fetchall()
        return Roster(fingerprint, since, relations, digests, named, names, _words(next(answers)))


def read_moved(connection: Connection, roster: Roster) -> Moved:
    """Return what moved since the roster was made."""
    parameters = {"since": roster.since, "relations": roster.relations, "digests": roster.digests}
    asked = psycopg.ClientCursor(connection).mogrify(_RELATIONS, parameters)
    statements = [FINGERPRINT, _WORDS, sql.SQL(asked)]
    with closing(at_one_moment(connection, statements)) as answers:
        fingerprint = as_fingerprint(next(answers))
        words = _words(next(answers))
        relations = frozenset(oid for (oid,) in next(answers).fetchall())
    if any(words.get(word, hash) != hash for word, hash in roster.words.items()):
        return Moved(fingerprint, None, frozenset())
    return Moved(fingerprint, relations, _names(roster, relations))


def _words(answer: Answer) -> Words:
    return {(catalog, oid): hash for catalog, oid, hash in answer.fetchall()}


def _names(roster: Roster, wanted: Collection[int]) -> frozenset[str]:
    """Return the names of relations as they are on the roster."""
    named = map(int, filter(None, roster.named.strip("{}").split(",")))
    return frozenset(name for oid, name in zip(named, json.loads(roster.names), strict=True) if oid in wanted)
