"""Checks of what pg_stat_statements has seen: which statements take long, and what they look for without an index."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

import psycopg
from psycopg import errors, sql

from sqlmigrations.exceptions import SQLMigrationsError
from sqlmigrations.files.splitter import split
from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    DAY,
    HOUR,
    MB,
    Answer,
    Check,
    Evidence,
    Finding,
    Fix,
    FixKind,
    Probe,
    Severity,
    Skip,
    Subject,
    answer,
    grade,
)
from sqlmigrations.health.sizes import table_sizes
from sqlmigrations.health.snapshot.sessions import SEES_ALL
from sqlmigrations.health.texts import shown
from sqlmigrations.health.units import percent, quick, size
from sqlmigrations.messages import counted, ngettext
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]

EXTENSION = "pg_stat_statements"

#: Words with which a statement begins that EXPLAIN can take.
_EXPLAINABLE = re.compile(r"\s*(?:select|insert|update|delete|merge|with|values)\b", re.IGNORECASE)


# pg_stat_statements


def is_installed(probe: Probe) -> bool:
    """Say whether the database has the extension."""
    return EXTENSION in probe.capabilities.extensions


def open_statements(probe: Probe) -> tuple[Probe, float | None]:
    """Return a probe that finds the extension's views, and for how many seconds it has counted, where it knows.

    Raises:
        Skip: it is not installed, or not loaded.
    """
    if not is_installed(probe):
        raise Skip(
            _("{extension} is not installed in this database", extension=EXTENSION),
            _("CREATE EXTENSION {extension}; with shared_preload_libraries = '{extension}'", extension=EXTENSION),
        )
    its_schema = sql.Identifier(probe.capabilities.extensions[EXTENSION][0])
    opened = probe.looking_in(fixes.composed("{}", its_schema))
    try:
        return opened, _window(opened)
    except errors.UndefinedTable as error:
        role = sql.Identifier(probe.capabilities.role)
        raise Skip(
            _("{extension} is in a schema that {role} may not use", extension=EXTENSION, role=probe.capabilities.role),
            fixes.composed("GRANT USAGE ON SCHEMA {} TO {};", its_schema, role),
        ) from error
    except errors.ObjectNotInPrerequisiteState as error:
        raise Skip(
            _("{extension} is installed, but not loaded", extension=EXTENSION),
            _("Add it to shared_preload_libraries, and restart the server: '{extension}'", extension=EXTENSION),
        ) from error


def _window(probe: Probe) -> float | None:
    if not probe.capabilities.has("pg_stat_statements_info"):
        probe.fetch(fixes.composed("SELECT FROM {} LIMIT 1", sql.Identifier(EXTENSION)), None)
        return None
    seconds = probe.row("statements_window")["seconds"]
    return None if seconds is None else float(seconds)


def unless_hidden(probe: Probe, statements: Sequence[Row], given: Answer) -> Answer:
    """Return an answer about statements, unless it would say that all is well without having seen all.

    Raises:
        Skip: some are hidden, and among the others nothing was found.
    """
    unseen = sum(row["is_hidden"] for row in statements)
    if unseen and not given.findings:
        reason = ngettext(
            "{count} of {statements} is hidden from {role}",
            "{count} of {statements} are hidden from {role}",
            unseen,
            statements=counted(len(statements), "statement"),
            role=probe.capabilities.role,
        )
        raise Skip(reason, probe.grant(SEES_ALL))
    return given


# Slow statements


@dataclass(frozen=True, kw_only=True)
class SlowQueries(Check):
    """A statement that takes a second each time keeps somebody waiting each time.

    One that takes a third of all time keeps the server from everything else. They are taken from pg_stat_statements,
    whatever its version. Of a statement of one's own the plan is shown, as PostgreSQL makes it without knowing the
    values (``EXPLAIN (GENERIC_PLAN)``, from 16 on); nothing is executed.
    """

    id = "slow_queries"
    title = _("Statements answer quickly")
    evidence = Evidence.CUMULATIVE
    examines = "statements"
    tags = frozenset({"performance"})
    right = SEES_ALL
    sql: ClassVar[tuple[str, ...]] = ("slow_queries", "statements_window", "default_search_path")

    #: On average.
    warning_seconds: float = 1
    critical_seconds: float = 10
    min_calls: int = 10
    #: Of the time of all statements; more than this is information.
    share_percent: float = 33
    #: The most findings whose plan is shown.
    plans: int = 5

    def run(self, probe: Probe) -> Answer:
        """Look at the statements of this database.

        Raises:
            Skip: pg_stat_statements is not there, or nothing was found but the statements of others are hidden.
        """
        opened, seconds = open_statements(probe)
        rows = opened.rows()
        given = unless_hidden(probe, rows, self.judge(rows, seconds))
        return given if not given.findings else self._with_plans(probe, rows, given)

    def judge(self, rows: Sequence[Row], seconds: float | None) -> Answer:
        """Judge all statements whose text may be seen."""
        unseen = sum(row["is_hidden"] for row in rows)
        total = sum(row["seconds"] for row in rows) or 1.0
        return answer(
            (self._one(row, total) for row in rows if not row["is_hidden"]),
            window=None if seconds is None else timedelta(seconds=seconds),
            left_out=_("{things} of other roles", things=counted(unseen, "statement")) if unseen else "",
        )

    def _one(self, row: Row, total: float) -> Finding | None:
        share = 100 * row["seconds"] / total
        severity = self._severity(row, share)
        if severity is None:
            return None
        return Finding(
            subject=_statement(row),
            severity=severity,
            observed=_(
                "{mean_seconds} on average, {calls}, {share} of all time",
                mean_seconds=quick(row["mean_seconds"]),
                calls=counted(row["calls"], "call"),
                share=percent(share),
            ),
            threshold=_("{warning_seconds} on average", warning_seconds=quick(self.warning_seconds)),
            fixes=(
                Fix(
                    FixKind.SQL,
                    "EXPLAIN (ANALYZE, BUFFERS) ...;",
                    _("with real values; it executes the statement, so a changing one within BEGIN and ROLLBACK"),
                ),
            ),
            identity=(row["role"], row["query"]),
            value=row["mean_seconds"],
            details=(f"statement of {row['role']}: {shown(row['query'])}",),
        )

    def _severity(self, row: Row, share: float) -> Severity | None:
        if row["calls"] < self.min_calls:
            return None
        by_mean = grade(row["mean_seconds"], warning=self.warning_seconds, critical=self.critical_seconds)
        is_much = share >= self.share_percent and row["seconds"] >= 1
        return by_mean or (Severity.INFO if is_much else None)

    def _with_plans(self, probe: Probe, rows: Sequence[Row], given: Answer) -> Answer:
        """Return the answer with the plans of the worst own statements below their findings."""
        texts = {str(_statement(row)): row["query"] for row in rows if row["is_own"] and not row["is_hidden"]}
        at_home = probe.looking_in(probe.row("default_search_path")["value"])
        findings = []
        for place, found in enumerate(given.findings):
            text = texts.get(str(found.subject)) if place < self.plans else None
            plan = generic_plan(at_home, text) if text else ()
            findings.append(_detailed(found, plan))
        return Answer(given.examined, tuple(findings), given.window, given.left_out)


def generic_plan(probe: Probe, statement: str) -> tuple[str, ...]:
    """Return the plan of a statement whose values are not known, line by line; nothing where there is none.

    Nothing is executed: the text is one statement that EXPLAIN takes. It must be one of the asking role's own, since
    planning evaluates immutable functions.
    """
    if not _EXPLAINABLE.match(statement) or not _is_single(statement):
        return ()
    try:
        # A statement can't be a parameter of another one; that it is a single one is made sure of.
        rows = probe.fetch(f"EXPLAIN (GENERIC_PLAN) {statement}", None)
    except psycopg.Error:
        return ()  # an older server, or a statement that can't be planned without its values
    return tuple(f"plan: {row['QUERY PLAN']}" for row in rows)


def _is_single(text: str) -> bool:
    try:
        return len(list(split([text.encode()]))) == 1
    except SQLMigrationsError:
        return False


def _detailed(found: Finding, lines: tuple[str, ...]) -> Finding:
    return replace(found, details=(*found.details, *lines))


def _statement(row: Row) -> Subject:
    return Subject("query", name=f"query {row['name']}")


# The extension itself


@dataclass(frozen=True, kw_only=True)
class StatementStatistics(Check):
    """Without pg_stat_statements nobody can tell which statements make the server busy.

    It keeps ``pg_stat_statements.max`` of them, and forgets those that are called least when there are more. When that
    happens often, most of what it says of seldom statements is wrong: mostly because a program writes values into its
    statements, or lists of changing length.
    """

    id = "pgss_health"
    title = _("Statements are counted, and none is forgotten")
    evidence = Evidence.CUMULATIVE
    examines = "extensions"
    tags = frozenset({"performance", "settings"})
    sql: ClassVar[tuple[str, ...]] = ("statements_window",)

    #: Evictions in a day; each forgets one statement of twenty.
    warning_evictions: int = 24

    def run(self, probe: Probe) -> Answer:
        """Look whether it is there, and how often it had no room.

        Raises:
            Skip: it is installed, but not loaded, or too old to tell.
        """
        if not is_installed(probe):
            return answer([_missing()])
        opened, seconds = open_statements(probe)
        if seconds is None:
            raise Skip(
                _(
                    "{extension} {version} doesn't tell what it forgets",
                    extension=EXTENSION,
                    version=probe.capabilities.extensions[EXTENSION][1],
                ),
                f"ALTER EXTENSION {EXTENSION} UPDATE;",
            )
        row = opened.row("statements_window")
        return answer([self.judge(row)], window=timedelta(seconds=row["seconds"]))

    def judge(self, row: Row) -> Finding | None:
        """Judge the evictions in a day."""
        a_day = row["evictions"] / max(row["seconds"] / DAY, HOUR / DAY)
        if not row["evictions"] or a_day < self.warning_evictions:
            return None
        return Finding(
            subject=Subject("extension", name=EXTENSION),
            severity=Severity.WARNING,
            observed=_("had no room {times:,.0f} times a day, and forgot statements each time", times=a_day),
            threshold=_("{warning_evictions} times a day", warning_evictions=self.warning_evictions),
            fixes=(
                fixes.noted(
                    "ALTER SYSTEM SET pg_stat_statements.max = {};",
                    sql.Literal(20_000),
                    note=_("then restart the server; better: have programs pass values as parameters"),
                ),
            ),
            value=a_day,
        )


def _missing() -> Finding:
    return Finding(
        subject=Subject("extension", name=EXTENSION),
        severity=Severity.INFO,
        observed=_("not installed in this database: nobody can tell which statements take long"),
        threshold=_("installed"),
        fixes=(
            fixes.noted(
                "CREATE EXTENSION {};",
                sql.Identifier(EXTENSION),
                note=_("with shared_preload_libraries = '{extension}', which needs a restart", extension=EXTENSION),
            ),
        ),
    )


# JSONB without an index

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
        opened, _ = open_statements(probe)
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


CHECKS: tuple[type[Check], ...] = (SlowQueries, StatementStatistics, MissingGinIndex)
