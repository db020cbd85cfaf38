"""Joins differences to the DDL log: who made each, when, from what and with which statement; pure.

PostgreSQL names the object of most changes itself. Of what is changed through its table (a column, a constraint) it
names the table, and of a GRANT nothing: then the statement is asked whether it names the object.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlmigrations.schema.catalog import BELOW_TABLES
from sqlmigrations.schema.ddl_log import LoggedChange
from sqlmigrations.schema.difference import Change, Difference, Source

#: Words of which a statement has one that changes an attribute.
_WORDS: Mapping[str, str] = {
    "clustered": r"cluster",
    "column_order": r"\b(?:add|drop)\b",
    "comment": r"comment",
    "compression": r"compression",
    "default": r"default",
    "force_row_security": r"row\s+level",
    "generated": r"expression|generated",
    "grants": r"grant|revoke",
    "identity": r"identity|generated",
    "identity_sequence": r"increment|minvalue|maxvalue|start|cache|cycle",
    "inherits": r"inherit",
    "name": r"rename|set\s+schema",
    "not_null": r"not\s+null|primary",
    "not_null_validated": r"not\s+null|validate",
    "options": r"\bset\s*\(|\breset\s*\(",
    "owner": r"owner|reassign",
    "partition_bound": r"\b(?:at|de)tach\b",
    "partition_of": r"partition",
    "persistence": r"logged",
    "replica_identity": r"replica",
    "row_security": r"row\s+level",
    "state": r"enable|disable",
    "statistics_target": r"statistics",
    "storage": r"storage",
    "type": r"type",
}

#: Characters of a statement that go with a difference.
_SHOWN = 500


def attribute(differences: Iterable[Difference], changes: Sequence[LoggedChange]) -> tuple[Difference, ...]:
    """Return the differences, each with the change in the log that made it, where one did."""
    log = _Log(changes)
    return tuple(_with_author(difference, log) for difference in differences)


def names_of(difference: Difference) -> tuple[str, ...]:
    """Return what the log may call the object of a difference: its present name first, then those of its table."""
    own = [name for name in (difference.found_object, difference.object) if name]
    tables = [_container(name) for name in own] if difference.kind in BELOW_TABLES else []
    return tuple(dict.fromkeys([*own, *_indexes(difference, own), *tables]))


def _indexes(difference: Difference, names: Iterable[str]) -> list[str]:
    """Return the names of a constraint's index."""
    if difference.kind != "constraint":
        return []
    return [_container(_container(name)) + name[len(_container(name)) :] for name in names]


def plain_part(name: str) -> str:
    """Return the last part of a qualified name, without arguments and quotes."""
    part = re.split(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)', name.partition("(")[0])[-1]
    return part.strip('"').replace('""', '"')


def _container(name: str) -> str:
    return re.sub(r'\.(?:"(?:[^"]|"")*"|[^."]*)$', "", name)


class _Log:
    """The changes, by the names of their objects as the catalog's reader writes them."""

    def __init__(self, changes: Sequence[LoggedChange]) -> None:
        self.changes = changes
        self.by_object: dict[str, list[int]] = defaultdict(list)
        for place, change in enumerate(changes):
            self.by_object[normal(change.object)].append(place)


def normal(identity: str) -> str:
    """Write an identity of the log as the catalog's reader does: ``p on public.t`` as ``public.t.p``."""
    name = identity.replace("pg_catalog.", "")
    part, on, table = name.partition(" on ")
    return f"{table}.{part}" if on else name


def _with_author(difference: Difference, log: _Log) -> Difference:
    if difference.source in (Source.HISTORY, Source.REQUIRED) and difference.kind in ("file", "event"):
        return difference
    scored = [
        (_score(difference, log.changes[place], how), place)
        for place, how in _candidates(difference, log)
        if difference.attribute == "comment" or log.changes[place].tag != "COMMENT"
    ]
    known = [(score, place) for score, place in scored if _is_enough(difference, score)]
    if not known:
        return difference
    _best, place = max(known)
    return replace(difference, changed=_told(log.changes[place]))


def _is_enough(difference: Difference, score: _Score) -> bool:
    """Tell whether a change may be named: one of the table alone only where its words fit, for nobody is blamed so."""
    is_told = score.is_named or (score.speaks and (difference.kind != "column" or difference.attribute in _WORDS))
    return score.is_drift and is_told


def _candidates(difference: Difference, log: _Log) -> Iterator[tuple[int, int]]:
    """Yield the places of the changes that may have made a difference, with how sure that is: from 1 to 3."""
    own = [name for name in (difference.found_object, difference.object) if name]
    own += _indexes(difference, own)
    tables = [name for name in names_of(difference) if name not in own]
    parts = {plain_part(name) for name in own}
    has_own = False
    if difference.attribute != "grants":
        for name in own:
            has_own = has_own or bool(log.by_object[name])
            yield from ((place, 3) for place in log.by_object[name])
        for table in tables:
            for place in log.by_object[table]:
                yield place, 2 if _names(log.changes[place], parts) else 1
    if difference.attribute == "partition_bound":  # PostgreSQL names the partitioned table alone
        yield from ((place, 2) for place, change in enumerate(log.changes) if _names(change, parts))
    if not has_own:
        homes = {plain_part(name) for name in tables}
        may_grant = difference.attribute == "grants" or difference.kind == "default privileges"
        for place, change in enumerate(log.changes):
            is_grant = change.object == "" or change.kind == "default acl"
            if is_grant is not may_grant and not (is_grant and difference.kind == "column"):
                continue
            if _grants(change, difference, homes or parts) if is_grant else _names(change, homes or parts):
                yield place, 2 if _names(change, parts) else 1


def _names(change: LoggedChange, parts: Iterable[str]) -> bool:
    """Tell whether a change's statement has one of the names in it."""
    text = f"{change.statement}\n{change.query}".lower()
    return any(
        part.lower() in text and re.search(rf"(?<!\w){re.escape(part.lower())}(?!\w)", text) is not None
        for part in parts
    )


def _grants(change: LoggedChange, difference: Difference, parts: Iterable[str]) -> bool:
    """Tell whether a GRANT or REVOKE may be on the object: it names it, or all objects of its schema."""
    if difference.kind == "default privileges":
        return change.tag == "ALTER DEFAULT PRIVILEGES" or change.kind == "default acl"
    if difference.kind == "schema" and not re.search(r"\bon\s+schema\b", change.statement, re.IGNORECASE):
        return False  # PUBLIC may be the role
    schema = difference.object.partition(".")[0]
    in_schema = re.search(r"\bin\s+schema\b", change.statement, re.IGNORECASE) is not None
    return _names(change, parts) or (in_schema and _names(change, {schema}))


class _Score(NamedTuple):
    """How well a change explains a difference, from what weighs most; among equals, the latest wins."""

    #: It may be the cause: what a file does is in what its run left.
    is_drift: bool
    #: The log, or the statement itself, names the object and not only its table.
    is_named: bool
    #: Its words fit the attribute.
    speaks: bool
    #: How sure it is by name, from 1 to 3.
    how: int
    #: Made by hand.
    by_hand: bool


def _score(difference: Difference, change: LoggedChange, how: int) -> _Score:
    """Say how well a change explains a difference."""
    words = _WORDS.get(difference.attribute)
    speaks = words is not None and re.search(words, change.statement, re.IGNORECASE) is not None
    if difference.attribute == "presence":
        speaks = change.dropped == (difference.found == "absent")
    by_hand = not change.filename
    return _Score(by_hand or difference.source is not Source.SNAPSHOT, how > 1, speaks, how, by_hand)


def _told(change: LoggedChange) -> Change:
    origin = [change.application_name, change.client_address, change.filename]
    by = f"{change.role} as {change.assumed_role}" if change.assumed_role else change.role
    statement = " ".join(change.statement.split())
    return Change(change.at, by, ", ".join(filter(None, origin)), statement[:_SHOWN])
