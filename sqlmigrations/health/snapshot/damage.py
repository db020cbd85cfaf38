"""Checks of damage: pages that are not what was written, indexes that don't fit their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import psycopg
from psycopg import errors, sql

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
)
from sqlmigrations.health.units import GB, span
from sqlmigrations.messages import counted, joined
from sqlmigrations.messages import gettext as _

Row = Mapping[str, Any]

EXTENSION = "amcheck"
OF_INDEXES, OF_TABLES = "bt_index_check", "verify_heapam"

#: What a damaged relation is answered with: https://www.postgresql.org/docs/current/errcodes-appendix.html
DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedFile, errors.IoError)


@dataclass(frozen=True, kw_only=True)
class ChecksumFailures(Check):
    """A page whose checksum is wrong was changed by a disk, a controller or a person, not by PostgreSQL.

    Each read of it fails. What is on it is lost unless a backup or a standby has it, and more may follow: look at the
    hardware first.
    """

    id = "checksum_failures"
    title = _("No page was found damaged")
    evidence = Evidence.SNAPSHOT
    examines = "databases whose pages have checksums"
    tags = frozenset({"integrity", BEFORE})

    def run(self, probe: Probe) -> Answer:
        """Look at the counters of all databases."""
        return answer(self.judge(row) for row in probe.rows())

    def judge(self, row: Row) -> Finding | None:
        """Judge one database."""
        if not row["failures"]:
            return None
        ago = _(", the last {time} ago", time=span(row["seconds"])) if row["seconds"] is not None else ""
        return Finding(
            subject=Subject("database", name=row["name"] or "(shared objects)"),
            severity=Severity.CRITICAL,
            observed=_("{pages} with a wrong checksum{ago}", pages=counted(row["failures"], "page"), ago=ago),
            threshold=_("none"),
            fixes=(
                Fix(
                    FixKind.SHELL,
                    f"manage.py dbhealth --only {Corruption.id}",
                    _("names what is damaged; look at the disks, then restore it from a backup or a standby"),
                ),
            ),
            value=row["failures"],
        )


@dataclass(frozen=True, kw_only=True)
class Corruption(Check):
    """An index that doesn't fit its table finds wrong rows or none, and a damaged table may lose them.

    The extension amcheck compares each B-tree index with all rows of its table, and reads each table for rows that
    can't be. Indexes go wrong by a new version of glibc or ICU (``collation_version``), by a function that was called
    immutable and isn't, by disks; tables by disks and by hand.

    It reads all tables and indexes, the smallest first, so it runs only when asked for. It takes AccessShare on each.
    """

    id = "corruption"
    title = _("Indexes fit their tables, and tables can be read")
    evidence = Evidence.SNAPSHOT
    examines = "B-tree indexes and tables"
    tags = frozenset({"integrity", "data"})
    opt_in = True
    timeout = "15min"
    sql: ClassVar[tuple[str, ...]] = ("corruption", "corruption_rights")

    #: Larger tables, and indexes that are larger together with their table, are left out.
    max_bytes: int = 10 * GB
    #: Of a table so many damaged rows are told.
    sample: int = 5

    def run(self, probe: Probe) -> Answer:
        """Examine each index and each table.

        Raises:
            Skip: the extension is not there, or its functions may not be called.
        """
        if EXTENSION not in probe.capabilities.extensions:
            raise Skip(
                _("the extension {extension} is not installed", extension=EXTENSION),
                f"CREATE EXTENSION {EXTENSION};",
            )
        functions = {row["name"]: row for row in probe.rows("corruption_rights")}
        forbidden = [row["signature"] for row in functions.values() if not row["is_allowed"]]
        if forbidden:
            raise Skip(
                _("this role may not call {functions}", functions=" and ".join(forbidden)),
                self._grants(probe, functions),
            )
        rows = probe.rows("corruption")
        small = [row for row in rows if row["bytes"] <= self.on(Subject.of(row["kind"], row)).max_bytes]
        seen: list[Finding | None] = []
        slow = 0
        for row in small:
            try:
                seen.append(self._examined(probe, row, functions))
            except (errors.QueryCanceled, errors.LockNotAvailable):
                slow += 1
        left_out = {_("{count} too large"): len(rows) - len(small), _("{count} in use or not done in time"): slow}
        words = joined(", ", (_(why, count=count) for why, count in left_out.items() if count))
        return answer(seen, left_out=words)

    def _grants(self, probe: Probe, functions: Mapping[str, Row]) -> str:
        """Return the statements that let the asking role call the functions."""
        role = sql.Identifier(probe.capabilities.role)
        return " ".join(
            sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {};").format(sql.SQL(row["signature"]), role).as_string()
            for row in functions.values()
        )

    def _examined(self, probe: Probe, row: Row, functions: Mapping[str, Row]) -> Finding | None:
        """Examine one index or table.

        Raises:
            psycopg.Error: it could not be examined for another reason than damage.
        """
        try:
            damages = (
                self._of_index(probe, row, functions)
                if row["kind"] == "index"
                else self._of_table(probe, row, functions)
            )
        except DAMAGED as error:
            damages = [_words(error)]
        if not damages:
            return None
        subject = Subject.of(row["kind"], row)
        return Finding(
            subject=subject,
            severity=Severity.CRITICAL,
            observed=damages[0],
            threshold=_("no damage"),
            fixes=tuple(_mend(subject)),
            details=tuple(damages[1:]),
        )

    def _of_index(self, probe: Probe, row: Row, functions: Mapping[str, Row]) -> Sequence[str]:
        """Compare an index with its table; damage is an error."""
        call = sql.SQL("SELECT {}({}::pg_catalog.regclass, true)")
        probe.fetch(call.format(_name(functions[OF_INDEXES]), sql.Literal(row["oid"])).as_string(), None)
        return ()

    def _of_table(self, probe: Probe, row: Row, functions: Mapping[str, Row]) -> Sequence[str]:
        """Return what is wrong with rows of a table."""
        call = sql.SQL("SELECT blkno, offnum, msg FROM {}({}::pg_catalog.regclass) LIMIT {}")
        query = call.format(_name(functions[OF_TABLES]), sql.Literal(row["oid"]), sql.Literal(self.sample))
        found = probe.fetch(query.as_string(), None)
        return [
            _("page {page}, row {row}: {said}", page=each["blkno"], row=each["offnum"], said=each["msg"])
            for each in found
        ]


def _name(function: Row) -> sql.Identifier:
    return sql.Identifier(function["schema"], function["name"])


def _words(error: psycopg.Error) -> str:
    """Return what PostgreSQL says of damage, without where in its own code."""
    return error.diag.message_primary or str(error).strip()


def _mend(subject: Subject) -> Iterator[Fix]:
    if subject.kind == "index":
        yield from fixes.rebuild_index(subject)
    else:
        yield Fix(
            FixKind.SHELL,
            f"pg_dump --table={subject.schema}.{subject.table} ...",
            _("save what can be read, keep a copy of the whole data directory, restore the rest from a backup"),
        )


CHECKS: tuple[type[Check], ...] = (ChecksumFailures, Corruption)
