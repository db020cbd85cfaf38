"""Checks of constraints: whether PostgreSQL holds what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from sqlmigrations.health import fixes
from sqlmigrations.health.base import (
    BEFORE,
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
    tallied,
)
from sqlmigrations.health.units import GB
from sqlmigrations.messages import counted, joined
from sqlmigrations.messages import gettext as _


@dataclass(frozen=True, kw_only=True)
class NotValidConstraints(Check):
    """A constraint that is NOT VALID is kept for new rows only: older ones may break it, and the planner can't use it.

    Adding it so and validating it later is right for a large table; what is forgotten is the second step. A domain's
    constraint can be NOT VALID as well, for values that its columns have already. From PostgreSQL 18 on one can also
    be NOT ENFORCED: it is kept for no row at all, and validating it first needs ``ALTER CONSTRAINT ... ENFORCED``.
    """

    id = "not_valid_constraints"
    title = _("Every constraint holds for all rows")
    evidence = Evidence.STRUCTURAL
    examines = "constraints"
    tags = frozenset({"integrity"})

    def run(self, probe: Probe) -> Answer:
        """Look at checks, of domains too, foreign keys and, where they are constraints, NOT NULLs."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        subject = Subject.of("constraint", row)
        if not row["is_enforced"]:
            enforce = fixes.noted(
                "ALTER TABLE {} ALTER CONSTRAINT {} ENFORCED;",
                fixes.relation(subject),
                sql.Identifier(subject.name),
                note=_(
                    "takes ShareRowExclusive and checks all rows; for foreign keys only, others are dropped and added"
                ),
            )
            return Finding(
                subject=subject,
                severity=Severity.WARNING,
                observed="NOT ENFORCED",
                threshold=_("enforced"),
                fixes=(enforce,),
            )
        if row["is_valid"]:
            return None
        return Finding(
            subject=subject,
            severity=Severity.WARNING,
            observed=_("NOT VALID: rows older than it may break it"),
            threshold=_("validated"),
            fixes=fixes.validate_of_domain(subject) if row["is_of_domain"] else fixes.validate_constraint(subject),
        )


@dataclass(frozen=True, kw_only=True)
class ForeignKeyEnforcementOff(Check):
    """Foreign keys are kept by triggers, and triggers can be off.

    ``ALTER TABLE ... DISABLE TRIGGER ALL`` turns those of foreign keys off as well, and so does
    ``session_replication_role = replica``, which restoring tools set, sometimes for a role or a database and for ever.
    The constraint goes on to be called valid, whatever comes in.
    """

    id = "fk_enforcement_off"
    title = _("No trigger is off, and no foreign key with it")
    evidence = Evidence.STRUCTURAL
    examines = "triggers"
    tags = frozenset({"integrity", BEFORE})

    def run(self, probe: Probe) -> Answer:
        """Look at all triggers, internal ones included, and at the settings of roles, of the database and our own."""
        return tallied(probe.rows(), self._judge)

    def _judge(self, row: Mapping[str, Any]) -> Finding | None:
        if not row["is_off"]:
            return None
        if row["kind"] == "trigger":
            return self._of_trigger(row)
        return self._of_setting(row)

    def _of_trigger(self, row: Mapping[str, Any]) -> Finding:
        subject = Subject.of("constraint" if row["is_constraint"] else "trigger", row)
        name = sql.SQL("ALL") if row["is_constraint"] else sql.Identifier(subject.name)
        fix = fixes.noted(
            "ALTER TABLE {} ENABLE TRIGGER {};",
            fixes.relation(subject),
            name,
            note=_(
                "takes ShareRowExclusive for a moment; rows that came in meanwhile are not looked at: "
                "manage.py dbhealth --only fk_violations"
            ),
        )
        return Finding(
            subject=subject,
            severity=Severity.CRITICAL if row["is_constraint"] else Severity.WARNING,
            observed=_("its trigger is disabled") if row["is_constraint"] else _("disabled"),
            threshold=_("enabled"),
            fixes=(fix,),
        )

    def _of_setting(self, row: Mapping[str, Any]) -> Finding:
        role, database = row["name"], row["table"]
        if row["kind"] == "session":
            subject, fix = Subject("session", name=role), fixes.noted("RESET session_replication_role;", note="")
        elif role and database:
            subject = Subject("role", name=f"{role} in {database}")
            fix = fixes.statement(
                "ALTER ROLE {} IN DATABASE {} RESET session_replication_role;",
                sql.Identifier(role),
                sql.Identifier(database),
            )
        elif role:
            subject = Subject("role", name=role)
            fix = fixes.statement("ALTER ROLE {} RESET session_replication_role;", sql.Identifier(role))
        else:
            subject = Subject("database", name=database)
            fix = fixes.statement("ALTER DATABASE {} RESET session_replication_role;", sql.Identifier(database))
        return Finding(
            subject=subject,
            severity=Severity.CRITICAL,
            observed=_("session_replication_role is replica: no foreign key is kept, no trigger fires"),
            threshold="origin",
            fixes=(fix,),
        )


@dataclass(frozen=True, kw_only=True)
class ForeignKeyViolations(Check):
    """Rows may point at a parent that isn't there, though PostgreSQL calls the foreign key valid.

    They come in while triggers are off: by a restore, by replication, by ``session_replication_role``. PostgreSQL
    believes its own mark, ``VALIDATE CONSTRAINT`` then looks at nothing, and only reading the rows tells.

    It reads the child tables whole, the smallest first, so it runs only when asked for.
    """

    id = "fk_violations"
    title = _("Every row of a foreign key has its parent")
    evidence = Evidence.STRUCTURAL
    examines = "foreign keys"
    tags = frozenset({"integrity", "data"})
    right = "pg_read_all_data"
    opt_in = True
    timeout = "15min"

    #: Child tables above this size are left out.
    max_bytes: int = 10 * GB
    #: Rows without a parent are counted up to this number.
    sample: int = 1000

    def run(self, probe: Probe) -> Answer:
        """Search each foreign key for rows without a parent.

        Raises:
            Skip: none of the tables may be read.
        """
        rows = probe.rows()
        readable = [row for row in rows if row["is_readable"]]
        if rows and not readable:
            raise Skip(
                _("none of the {total} foreign keys' tables may be read", total=len(rows)), probe.grant(self.right)
            )
        plain = [row for row in readable if not row["is_temporal"]]
        small = [row for row in plain if row["bytes"] <= self.on(Subject.of("constraint", row)).max_bytes]
        left_out = {
            _("{keys} of larger tables"): len(plain) - len(small),
            _("{keys} with PERIOD"): len(readable) - len(plain),
            _("{keys} that may not be read"): len(rows) - len(readable),
        }
        words = [_(why, keys=counted(count, "foreign key")) for why, count in left_out.items() if count]
        return answer((self._search(probe, row) for row in small), left_out=joined(", ", words))

    def _search(self, probe: Probe, row: Mapping[str, Any]) -> Finding | None:
        subject = Subject.of("constraint", row)
        orphans = self._orphans(row)
        limited = sql.SQL("SELECT pg_catalog.count(*) AS count FROM (SELECT 1 {} LIMIT {}) AS orphan").format(
            orphans, sql.Literal(self.sample)
        )
        count = probe.fetch(limited.as_string(), None)[0]["count"]
        if not count:
            return None
        look = Fix(
            FixKind.SQL, sql.SQL("SELECT c.* {};").format(orphans).as_string(), _("shows the rows; mend or remove them")
        )
        rows = counted(count, "row")
        found = _(
            "{rows} without a parent in {parent}",
            rows=_("at least {rows}", rows=rows) if count >= self.sample else rows,
            parent=f"{row['parent_schema']}.{row['parent_table']}",
        )
        return Finding(
            subject=subject,
            severity=Severity.CRITICAL,
            observed=_("{found}, though the constraint is valid", found=found) if row["is_valid"] else found,
            threshold=_("none"),
            fixes=(look,),
            value=count,
        )

    def _orphans(self, row: Mapping[str, Any]) -> sql.Composed:
        """Return the FROM and WHERE that find rows without a parent, by the operators of the constraint itself."""
        pairs = list(zip(row["columns"], row["parent_columns"], row["operator_schemas"], row["operators"], strict=True))
        matches = sql.SQL(" AND ").join(
            sql.SQL("p.{} OPERATOR({}.{}) c.{}").format(
                sql.Identifier(parent), sql.Identifier(schema), sql.SQL(operator), sql.Identifier(child)
            )
            for child, parent, schema, operator in pairs
        )
        # MATCH FULL: a key that is NULL in part is a violation; MATCH SIMPLE: it points at nothing.
        glue = sql.SQL(" OR " if row["is_full"] else " AND ")
        given = glue.join(sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(child)) for child, *_ in pairs)
        return sql.SQL("FROM {} AS c WHERE ({}) AND NOT EXISTS (SELECT FROM {} AS p WHERE {})").format(
            sql.Identifier(row["schema"], row["table"]),
            given,
            sql.Identifier(row["parent_schema"], row["parent_table"]),
            matches,
        )


CHECKS: tuple[type[Check], ...] = (ForeignKeyViolations, NotValidConstraints, ForeignKeyEnforcementOff)
