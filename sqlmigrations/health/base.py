"""What a health check is, and what it may answer.

A check is a frozen dataclass: what it is called stands on the class, its thresholds are its fields, and its one method
is ``run()``. Its SQL lies in a file of its own that can be pasted into psql; thresholds never go into the SQL, so that
everything that was examined is counted, and judged in one place.

    @dataclass(frozen=True, kw_only=True)
    class NoPrimaryKey(Check):
        '''Rows without a key can't be told apart ...'''

        id = "no_primary_key"
        title = "Every table has a primary key"
        evidence = Evidence.STRUCTURAL
        examines = "tables"

        def run(self, probe: Probe) -> Answer:
            return answer(self._judge(row) for row in probe.rows())
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar, Self

from psycopg import sql

from sqlmigrations.health.capabilities import Capabilities
from sqlmigrations.health.measures import Past
from sqlmigrations.messages import gettext as _

#: The folder of the built-in checks' SQL.
SQL = Path(__file__).parent / "sql"

#: The tag of checks that tell whether now is a good time for a migration.
BEFORE = "before"


class Evidence(StrEnum):
    """What a check's answer rests on; it decides when the check can be asked."""

    STRUCTURAL = "structural"  #: the catalog: true right after a migration
    SNAPSHOT = "snapshot"  #: what happens at this moment
    CUMULATIVE = "cumulative"  #: counters that mean nothing before they have run for days
    EXTERNAL = "external"  #: what the server doesn't know: backups, settings of Django, poolers


class Status(StrEnum):
    """The four answers."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How bad a finding is; one of ``INFO`` leaves its check ok."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """A number that grows with the severity."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class FixKind(StrEnum):
    """Where a fix is typed."""

    DJANGO = "django"  #: an operation of a Django migration
    SQL = "sql"
    SETTING = "setting"  #: in Django's settings
    SHELL = "shell"


@dataclass(frozen=True, slots=True)
class Fix:
    """One way to mend a finding; ``note`` says what it locks, and whether it may run in a transaction."""

    kind: FixKind
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """The statement that brought in what was found: a SQL file, or a Django migration, and its line."""

    file: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about. Names are as in the catalog, unquoted.

    ``table`` is the relation that it belongs to, ``name`` the name of an index, a constraint, a sequence, a role, ...
    """

    kind: str
    schema: str = ""
    table: str = ""
    name: str = ""
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: str, row: Mapping[str, Any]) -> Self:
        """Return the subject that a row names in its columns ``schema``, ``table``, ``name``, ``columns``."""
        return cls(
            kind,
            row.get("schema") or "",
            row.get("table") or "",
            row.get("name") or "",
            tuple(row.get("columns") or ()),
        )

    def __str__(self) -> str:
        """Return the object as people call it: ``public.orders.customer_id``, ``public.orders_pkey``."""
        if self.name and self.kind in ("constraint", "trigger"):
            parts = (self.schema, self.table, self.name)
        elif self.name:
            parts = (self.schema, self.name, "")
        else:
            parts = (self.schema, self.table, ", ".join(self.columns))
        return ".".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be.

    ``identity`` says what makes it the same finding in the next run, where the subject doesn't (a generated name).
    """

    subject: Subject
    severity: Severity
    observed: str
    threshold: str = ""
    fixes: tuple[Fix, ...] = ()
    origin: Origin | None = None
    identity: tuple[str, ...] = ()
    #: The measured number, where there is one.
    value: float | None = None
    #: It was there before, no better: an earlier run's document has it.
    is_known: bool = False
    #: What belongs below it, line by line: who waits for whom, the plan of a query.
    details: tuple[str, ...] = ()

    def fingerprint(self, check: str) -> str:
        """Return a name of this finding that is the same in every run, on every server: made of names, not of oids."""
        subject = self.subject
        identity = self.identity or (subject.schema, subject.table, subject.name, *subject.columns)
        text = json.dumps([check, subject.kind, *identity], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found among how many; ``window`` is the time over which counters were counted.

    ``left_out`` says what was not examined though it is there: ``"3 tables above 1 GB"``.
    """

    examined: int
    findings: tuple[Finding, ...] = ()
    window: timedelta | None = None
    left_out: str = ""


def answer(judged: Iterable[Finding | None], *, window: timedelta | None = None, left_out: str = "") -> Answer:
    """Return the answer of a check that judged each thing it examined: a finding, or nothing."""
    verdicts = list(judged)
    return Answer(len(verdicts), tuple(verdict for verdict in verdicts if verdict is not None), window, left_out)


def tallied(rows: Iterable[Mapping[str, Any]], judge: Callable[[Mapping[str, Any]], Finding | None]) -> Answer:
    """Return the answer to rows that stand for so many things each as their column ``things`` says.

    A database has thousands of things that are well: its SQL tells them together, in one row that ``judge`` finds well.
    """
    known = list(rows)
    findings = (judge(row) for row in known)
    return Answer(sum(row["things"] for row in known), tuple(each for each in findings if each is not None))


class Skip(Exception):
    """The check can't look: ``reason`` says why, ``remedy`` is what to type so that it can."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.reason = reason
        self.remedy = remedy
        super().__init__(reason)


@dataclass(frozen=True)
class Probe:
    """What a check asks the database through: one read-only transaction with short timeouts and no search path."""

    database: str
    capabilities: Capabilities
    #: Executes a statement with parameters in a search path, which is empty as a rule.
    execute: Callable[[str, Mapping[str, Any] | None, str], list[dict[str, Any]]] = field(repr=False)
    #: The text of the check's SQL by name.
    texts: Callable[[str], str] = field(repr=False)
    check: str = ""
    search_path: str = ""
    #: What was measured before, if it was kept.
    past: Past = field(default_factory=Past, repr=False)
    #: Answers to SQL files, which several checks read.
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)

    #: What sequences gave out last, by oid, as far as a check has read them.
    last_values: dict[int, int | None] = field(default_factory=dict, repr=False)

    def fetch(self, statement: str, parameters: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """Return the rows of a statement."""
        return self.execute(statement, parameters, self.search_path)

    def looking_in(self, search_path: str) -> Probe:
        """Return this probe for names that are looked up in a search path; pg_catalog comes first as always."""
        return replace(self, search_path=search_path, answers={})

    def rows(self, name: str = "") -> list[dict[str, Any]]:
        """Return the rows of the check's SQL file, or of the one called ``name``.

        A file is asked once, however many checks read it: they all judge the same moment.
        """
        text = self.texts(name or self.check)
        if text not in self.answers:
            self.answers[text] = self.fetch(text, None)
        return self.answers[text]

    def grant(self, right: str) -> str:
        """Return the statement that gives the asking role what ``right`` has."""
        names = sql.Identifier(right), sql.Identifier(self.capabilities.role)
        return sql.SQL("GRANT {} TO {};").format(*names).as_string()

    def row(self, name: str = "") -> dict[str, Any]:
        """Return the only row of a SQL file. Raises ``Skip`` where there is none."""
        found = self.rows(name)
        if not found:
            raise Skip(_("the server answered with nothing"))
        return found[0]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question to a database. The docstring of each says why it matters; ``--explain`` shows it.

    Thresholds are fields whose last word is their unit: ``min_bytes``, ``warning_percent``, ``critical_seconds``;
    a whole name such as ``sample`` is a plain number.
    """

    id: ClassVar[str]
    #: What is true where nothing is found.
    title: ClassVar[str]
    evidence: ClassVar[Evidence]
    #: What is examined, as a plural: ``"foreign keys"``.
    examines: ClassVar[str]
    tags: ClassVar[frozenset[str]] = frozenset()
    #: The role that lets a role look which can't: ``"pg_monitor"``.
    right: ClassVar[str] = ""
    #: Runs only when it is named, or enabled in the settings: it reads the user's data.
    opt_in: ClassVar[bool] = False
    #: ``statement_timeout`` of its statements.
    timeout: ClassVar[str] = "15s"
    #: Names of its SQL files; the one of its id when empty.
    sql: ClassVar[tuple[str, ...]] = ()
    #: Where they are.
    folder: ClassVar[Path] = SQL

    #: Other thresholds for some objects: patterns such as ``public.audit_*`` with the thresholds that differ.
    exceptions: Mapping[str, Mapping[str, float]] = field(default_factory=dict, repr=False)

    def run(self, probe: Probe) -> Answer:
        """Ask, and judge what comes back.

        Raises:
            Skip: it can't look.
        """
        raise NotImplementedError

    def on(self, subject: Subject | str) -> Self:
        """Return this check with the thresholds that hold for one object: the last pattern that matches counts."""
        if not self.exceptions:
            return self
        changes: dict[str, Any] = {}
        names = [str(subject)]
        if isinstance(subject, Subject) and subject.table:
            names.append(f"{subject.schema}.{subject.table}")
        for pattern, thresholds in self.exceptions.items():
            if any(fnmatchcase(name, pattern) for name in names):
                changes |= thresholds
        return replace(self, **changes) if changes else self

    @classmethod
    def thresholds(cls) -> dict[str, float]:
        """Return the thresholds with their defaults."""
        return {each.name: each.default for each in fields(cls) if isinstance(each.default, (int, float))}

    @classmethod
    def options(cls) -> dict[str, str]:
        """Return what else can be set, texts such as a dotted path, with their defaults."""
        return {each.name: each.default for each in fields(cls) if isinstance(each.default, str)}

    @classmethod
    def explanation(cls) -> str:
        """Return why the check matters."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def sql_files(cls) -> dict[str, str]:
        """Return the texts of its SQL files by name; none for a check that asks no server."""
        names = cls.sql or (cls.id,)
        paths = {name: cls.folder / f"{name}.sql" for name in names}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.exists()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer of one check, with what it rests on.

    ``applies`` is false where there was nothing to examine, as opposed to something that could not be looked at.
    """

    check: Check
    status: Status
    examined: int = 0
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    remedy: str = ""
    applies: bool = True
    window: timedelta | None = None
    left_out: str = ""
    duration_ms: float = 0.0
    #: How many findings the settings say to ignore.
    ignored: int = 0

    @property
    def is_blind(self) -> bool:
        """Whether the check could not look."""
        return self.status is Status.SKIPPED and self.applies


def judge(check: Check, given: Answer) -> Result:
    """Return the result that an answer stands for: as bad as its worst finding; skipped where nothing was examined."""
    result = Result(
        check=check, status=Status.OK, examined=given.examined, window=given.window, left_out=given.left_out
    )
    if not given.examined:
        nothing = f"there are no {check.examines} to examine"  # pages don't show it
        reason = _("left out: {left_out}", left_out=given.left_out) if given.left_out else nothing
        return replace(result, status=Status.SKIPPED, reason=reason, applies=bool(given.left_out))
    return with_findings(result, given.findings)


def with_findings(result: Result, findings: Iterable[Finding]) -> Result:
    """Return a result that isn't skipped with other findings, worst first, and the status that follows from them."""
    ordered = tuple(sorted(findings, key=lambda finding: (-finding.severity.rank, str(finding.subject))))
    worst = ordered[0].severity if ordered else Severity.INFO
    status = Status.OK if worst is Severity.INFO else Status(worst)
    return replace(result, findings=ordered, status=status)
