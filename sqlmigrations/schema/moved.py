"""Finds the relations that moved since a roster of all was made, so that the others need not be read again.

Catalog rows tell by ``xmin`` that they were written since, and digests on the roster that rows are gone. With a
relation of which anything was written goes every other one whose text may say a name of it, as PostgreSQL's own record
of dependencies has it, and every one that inherits from it. Where anything else moved whose name such texts can say (a
type was altered, a function or a schema renamed, an operator made), it isn't tried: then all has to be read.
"""

from __future__ import annotations

import json
from collections import defaultdict
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
    that these had, by kind: ``relation``, ``index``, ``statistics``.
    """

    fingerprint: str
    relations: frozenset[int] | None
    names: Mapping[str, Collection[str]]


def read_roster(connection: Connection) -> Roster:
    """Return the roster, and the fingerprint of the same moment."""
    statements = [FINGERPRINT, _with_parts("roster"), query("schema/sql/moved/words.sql")]
    with closing(at_one_moment(connection, statements)) as answers:
        fingerprint = as_fingerprint(next(answers))
        [(since, relations, digests, named, names)] = next(answers).fetchall()
        return Roster(fingerprint, since, relations, digests, named, names, _words(next(answers)))


def read_moved(connection: Connection, roster: Roster) -> Moved:
    """Return what moved since the roster was made."""
    parameters = {"since": roster.since, "relations": roster.relations, "digests": roster.digests}
    asked = psycopg.ClientCursor(connection).mogrify(_with_parts("relations"), parameters)
    statements = [FINGERPRINT, query("schema/sql/moved/words.sql"), sql.SQL(asked)]
    with closing(at_one_moment(connection, statements)) as answers:
        fingerprint = as_fingerprint(next(answers))
        words = _words(next(answers))
        relations = frozenset(oid for (oid,) in next(answers).fetchall())
    if any(words.get(word, hash) != hash for word, hash in roster.words.items()):
        return Moved(fingerprint, None, {})
    return Moved(fingerprint, relations, _names(roster, relations))


def _with_parts(name: str) -> sql.Composed:
    return query(f"schema/sql/moved/{name}.sql").format(parts=query("schema/sql/moved/parts.sql"))


def _words(answer: Answer) -> Words:
    return {(catalog, oid): hash for catalog, oid, hash in answer.fetchall()}


def _names(roster: Roster, wanted: Collection[int]) -> Mapping[str, Collection[str]]:
    """Return the names of relations and their parts as they are on the roster, by kind."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    named = map(int, filter(None, roster.named.strip("{}").split(",")))
    for relation, words in zip(named, json.loads(roster.names), strict=True):
        if relation in wanted:
            kind, _space, name = words.partition(" ")
            names[kind].add(name)
    return names
