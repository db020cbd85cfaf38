"""Puts a fix beside each difference, tried on a copy of the schema; writes files that make drift official."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from sqlmigrations.conf import settings
from sqlmigrations.database import Connection, connected, raw
from sqlmigrations.exceptions import ConfigurationError
from sqlmigrations.history import Tables, locate
from sqlmigrations.schema.catalog import Catalog, read_catalog
from sqlmigrations.schema.compare import compare
from sqlmigrations.schema.difference import Difference, Findings, Source
from sqlmigrations.schema.fix import Fix, fix_of, ordered
from sqlmigrations.schema.ignore import apply_rules, read_rules
from sqlmigrations.schema.snapshot import latest
from sqlmigrations.service.authors import with_authors
from sqlmigrations.service.drift import NO_SNAPSHOT
from sqlmigrations.service.makesql import Texts
from sqlmigrations.service.prove import Proof, prove
from sqlmigrations.service.snapshot import settled
from sqlmigrations.severity import Severity

#: What tells one difference from another, whatever is known about it by now.
_Key = tuple[Source, str, str, str]


def with_fixes(
    wrapper: BaseDatabaseWrapper, differences: Iterable[Difference], findings: Iterable[Findings]
) -> tuple[Difference, ...]:
    """Return the differences, each with the SQL that undoes it where its source knows both catalogs.

    A fix that could not be tried on a copy of the schema, or didn't work there, says so in its first line.
    """
    wanted = list(differences)
    texts: dict[_Key, str] = {}
    for found in findings:
        if found.expected is None or found.found is None:
            continue
        sources = {_key(difference) for difference in found.differences}
        own = [difference for difference in wanted if _key(difference) in sources and _is_to_undo(difference)]
        fixes = ordered(fix_of(difference, found.expected, found.found) for difference in own)
        for proof in prove(wrapper, fixes, found.expected, found.found, found.part):
            texts[_key(proof.fix.difference)] = fix_text(proof)
    for difference in wanted:
        if difference.source is Source.REQUIRED:
            texts[_key(difference)] = _of_required(difference, texts)
    return tuple(replace(one, fix=texts.get(_key(one), one.fix)) for one in wanted)


def _is_to_undo(difference: Difference) -> bool:
    """Tell whether a difference is one to undo: what models don't know, they don't mind either."""
    return difference.source is not Source.MODELS or difference.severity is not Severity.INFO


def _of_required(required: Difference, texts: Mapping[_Key, str]) -> str:
    """Return the fix that another source has for what is required and missing: settings know names alone."""
    for (_source, kind, name, attribute), text in texts.items():
        plain = name.replace('"', "")
        if (kind, attribute) == (required.kind, "presence") and f".{plain}".endswith(f".{required.object}"):
            return text
    return "-- No run, model or replay that was asked knows how it was made."


def _key(difference: Difference) -> _Key:
    return difference.source, difference.kind, difference.object, difference.attribute


def fix_text(proof: Proof) -> str:
    """Return a fix as it is printed."""
    if not proof.fix.statements:
        return f"-- {proof.fix.note}"
    return f"-- unproven: {proof.doubt}\n{proof.fix.sql}" if proof.doubt else proof.fix.sql


# Files


def drift_texts(database: str = DEFAULT_DB_ALIAS) -> Texts:
    """Return a file that makes official what was changed by hand since the last run, and its down script.

    Raises:
        ConfigurationError: nothing was changed, or no run has left a snapshot to compare with.
        DatabaseUnavailable: the database can't be asked.
    """
    with connected(database) as wrapper:
        connection = raw(wrapper)
        tables = locate(connection).tables
        kept, found = _catalogs(connection, tables)
        up, down = _fixes(found, kept), _fixes(kept, found)
        if not any(fix.statements for fix in up):
            raise ConfigurationError(
                "Nothing was changed by hand since the last run.", hint="Make an empty file: leave out --from-drift."
            )
        authors = {
            (one.kind, one.object): one.changed.by
            for one in with_authors(connection, tables, [fix.difference for fix in down])
            if one.changed
        }
    return Texts(_text(up, authors), _text(down, authors))


def _catalogs(connection: Connection, tables: Tables | None) -> tuple[Catalog, Catalog]:
    """Return what the last run left, and what there is.

    Raises:
        ConfigurationError: no run has left anything.
    """
    version = latest(connection, tables)
    if tables is None or version is None:
        raise ConfigurationError("There is nothing to compare the schema with: no run has left one.", hint=NO_SNAPSHOT)
    found = read_catalog(connection)
    return settled(connection, tables, version, found), found


def _fixes(expected: Catalog, found: Catalog) -> tuple[Fix, ...]:
    """Return what leads from ``found`` to ``expected``, what the rules of the settings ignore aside."""
    differences = compare(expected, found, source=Source.SNAPSHOT)
    judged = apply_rules(differences, read_rules(settings.DRIFT_IGNORE), datetime.now().date())
    return ordered(fix_of(difference, expected, found) for difference in judged.differences)


def _text(fixes: Sequence[Fix], authors: dict[tuple[str, str], str]) -> str:
    alone = any(not fix.in_transaction for fix in fixes)
    head = ["-- sqlmigrations: transaction off", ""] if alone else []
    return "\n".join([*head, *_blocks(fixes, authors)])


def _blocks(fixes: Iterable[Fix], authors: dict[tuple[str, str], str]) -> Iterator[str]:
    for fix in fixes:
        one = fix.difference
        by = authors.get((one.kind, one.object)) or authors.get((one.kind, one.found_object))
        yield f"-- {one.kind} {one.object}: {one.attribute.replace('_', ' ')}{f', changed by {by}' if by else ''}"
        yield fix.sql or f"-- {fix.note}"
        yield ""
