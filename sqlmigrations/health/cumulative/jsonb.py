"""Checks of how JSONB columns are searched, as pg_stat_statements has seen it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Subject,
)
from sqlmigrations.health.cumulative.pg_stat_statements import Row, open_statements, unless_hidden
from sqlmigrations.health.sizes import table_sizes
from sqlmigrations.health.snapshot.sessions import SEES_ALL
from sqlmigrations.health.units import MB, size
from sqlmigrations.messages import counted
from sqlmigrations.messages import gettext as _

#: What each operator class of GIN can look for: https://www.postgresql.org/docs/current/datatype-json.html
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "jsonb_ops": ("@>", "@?", "@@", "?", "?|", "?&"),
    "jsonb_path_ops": ("@>", "@?", "@@"),
}

#: An operator that a GIN index may serve.
_SEARCHES = re.compile(r"@>|@\?|@@|\?\||\?&|\?")


@dataclass(frozen=True, slots=True)
class Searched:
    """A column that statements search without an index: with which operators, and in how many calls."""

    column: Row
    operators: tuple[str, ...]
    calls: int


@dataclass(frozen=True, kw_only=True)
class MissingGinIndex(Check):
    """A condition on a JSONB column (``@>``, ``?``, ``@?``, ...) reads the whole table unless a GIN index serves it.

    Django writes them for ``contains``, ``has_key``, ``has_keys`` and ``has_any_keys``. Which columns are asked so is
    taken from pg_stat_statements. ``jsonb_path_ops`` makes a smaller index, which doesn't serve the keys' operators.
    """

    id = "missing_gin_jsonb"
    title = _("JSONB columns that are searched have a GIN index")
    evidence = Evidence.CUMULATIVE
    examines = "JSONB columns"
    tags = frozenset({"performance", "indexes"})
    right = SEES_ALL
    sql: ClassVar[tuple[str, ...]] = ("jsonb_columns", "slow_queries", "statements_window")

    #: Smaller tables are read in a moment.
    min_bytes: int = 10 * MB
    min_calls: int = 100

    def run(self, probe: Probe) -> Answer:
        """Search the statements for conditions on JSONB columns.

        Raises:
            Skip: pg_stat_statements is not there, or nothing was found but the statements of others are hidden.
        """
        columns = probe.rows("jsonb_columns")
        if not columns:
            return Answer(0)
        opened, _seconds = open_statements(probe)
        statements = opened.rows("slow_queries")
        searching = [row for row in statements if not row["is_hidden"] and _SEARCHES.search(row["query"])]
        searched = [searched for column in columns if (searched := self._search(column, searching)) is not None]
        sizes = table_sizes(probe, [each.column["relation"] for each in searched])
        findings = (self.judge(each, sizes[each.column["relation"]]) for each in searched)
        given = Answer(len(columns), tuple(found for found in findings if found is not None))
        return unless_hidden(probe, statements, given)

    def _search(self, column: Row, statements: Sequence[Row]) -> Searched | None:
        """Return how a column is searched, where that is often enough and no index serves it."""
        subject = Subject.of("column", column)
        served = {operator for name in column["operator_classes"] for operator in OPERATORS.get(name, ())}
        asked = [(row, operators_on(subject, row["query"]) - served) for row in statements]
        calls = sum(row["calls"] for row, operators in asked if operators)
        missing = tuple(sorted({operator for _, operators in asked for operator in operators}))
        is_often = missing and calls >= self.on(subject).min_calls
        return Searched(column, missing, calls) if is_often else None

    def judge(self, searched: Searched, bytes: int) -> Finding | None:
        """Judge a column that is searched by the size of its table."""
        subject = Subject.of("column", searched.column)
        if bytes < self.on(subject).min_bytes:
            return None
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_(
                "searched with {operators} in {calls}, {bytes}, without a GIN index",
                operators=", ".join(searched.operators),
                calls=counted(searched.calls, "call"),
                bytes=size(bytes),
            ),
            threshold=_("a GIN index"),
            fixes=_add_gin(subject, searched.operators, is_partitioned=searched.column["is_partitioned"]),
            value=searched.calls,
        )


def operators_on(subject: Subject, statement: str) -> set[str]:
    """Return the operators of GIN that a statement uses on a column; it must name the table, too."""
    (column,) = subject.columns
    if subject.table not in statement or column not in statement:
        return set()  # told at once, and without a pattern for each of thousands of tables
    if not re.search(rf"(?<!\w){re.escape(subject.table)}(?!\w)", statement):
        return set()
    pattern = rf'(?<![\w$]){re.escape(column)}"?\)?\s*(?:::jsonb\s*)?({_SEARCHES.pattern})'
    return set(re.findall(pattern, statement))


def _add_gin(subject: Subject, operators: Sequence[str], *, is_partitioned: bool) -> tuple[Fix, ...]:
    """Return how to make a GIN index that serves the operators."""
    opclass = "jsonb_path_ops" if set(operators) <= set(OPERATORS["jsonb_path_ops"]) else "jsonb_ops"
    by_hand = fixes.noted(
        "CREATE INDEX ON ONLY {} USING gin ({} {});"
        if is_partitioned
        else "CREATE INDEX CONCURRENTLY ON {} USING gin ({} {});",
        fixes.relation(subject),
        sql.Identifier(subject.columns[0]),
        sql.Identifier(opclass),
        note=_("then CREATE INDEX CONCURRENTLY on each partition, and ALTER INDEX ... ATTACH PARTITION for each")
        if is_partitioned
        else fixes.BESIDE_WRITERS,
    )
    model = fixes.model_of(subject)
    fields = fixes.fields_of(model, subject.columns) if model is not None else []
    if model is None or not fields:
        return (by_hand,)
    name = fixes.django_name(subject.table[:14], subject.columns[0][:11], "gin")
    index = f'GinIndex(fields=["{fields[0].name}"], name="{name}", opclasses=["{opclass}"])'
    operation = Fix(
        FixKind.DJANGO,
        f'AddIndexConcurrently("{model._meta.model_name}", {index})',
        _("and the index in Meta.indexes of {model}; the migration needs atomic = False", model=fixes.label(model)),
    )
    return operation, by_hand


CHECKS: tuple[type[Check], ...] = (MissingGinIndex,)
