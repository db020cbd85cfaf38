"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlmigrations.files.names import name
from sqlmigrations.files.trees import Node, Path
from sqlmigrations.severity import Severity

if TYPE_CHECKING:
    from sqlmigrations.lint.actions import Action
    from sqlmigrations.lint.scope import Scope

#: The page of the documentation that has a section for each rule.
PAGE = "docs/reference/lint.md"


class Certainty(StrEnum):
    """How sure a finding is."""

    #: The text alone makes it likely; a database would tell.
    GUESS = "guess"
    #: The text alone proves it, or the catalog agrees.
    CONFIRMED = "confirmed"
    #: The catalog, or an earlier statement of the same run, shows that it is no danger here.
    CLEARED = "cleared"
    #: The catalog shows that it is worse than the text tells.
    WORSE = "worse"


@dataclass(frozen=True)
class Rule:
    """One danger that statements can be.

    ``bad`` is an example of it, ``safe`` the same done without it; both are SQL files. ``lock`` is the id under which
    the documentation has the locks that were measured for it.
    """

    id: str
    title: str
    why: str
    severity: Severity
    bad: str
    safe: str
    theme: str
    lock: str = ""
    #: It rewrites or reads the whole table, or builds an index, while it holds its lock.
    slow: bool = False
    #: Only the catalog can tell: without a database nothing is said.
    needs_database: bool = False
    #: A matter of style, looked for only where it is asked for.
    opt_in: bool = False
    #: The text alone proves it.
    certain: bool = False

    @property
    def docs(self) -> str:
        """The section of the documentation."""
        return f"{PAGE}#{self.id}"


@dataclass(frozen=True)
class Subject:
    """What the catalog has to be asked about before a finding is sure."""

    #: The table, whose being made in the same run clears most findings.
    table: Path = ()
    #: The other relation that is locked, or referenced.
    other: Path = ()
    index: Path = ()
    column: str = ""
    columns: Path = ()
    constraint: str = ""
    #: The functions that a default calls.
    functions: tuple[Path, ...] = ()
    #: Names of what was dropped earlier in the run.
    gone: frozenset[str] = frozenset()
    #: The part of pgparse's tree that says more, such as a new type.
    node: Node | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Hit:
    """What a rule's function yields: where it is, and in what words."""

    message: str
    rewrite: str = ""
    subject: Subject = Subject()
    #: What is named as its object; the subject's table when empty.
    object: Path = ()
    line: int = 0
    severity: Severity | None = None


@dataclass(frozen=True)
class Finding:
    """One danger in one statement of a file."""

    rule: Rule
    file: str
    line: int
    #: The statement's number within the file, from 1; 0 for the file as a whole.
    statement: int
    object: str
    message: str
    severity: Severity
    rewrite: str = ""
    certainty: Certainty = Certainty.GUESS
    #: Why it is confirmed, cleared or worse.
    because: str = ""
    #: Who found it: this package, or another linter.
    source: str = "sqlmigrations"
    subject: Subject = field(default=Subject(), compare=False, repr=False)

    @property
    def where(self) -> str:
        """The place as ``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def stands(self) -> bool:
        """Whether it is still to be told: it is not cleared."""
        return self.certainty is not Certainty.CLEARED


Look = Callable[["Action", "Scope"], Iterable[Hit]]

#: Every rule by its id, in the order in which the themes define them.
RULES: dict[str, Rule] = {}
#: The functions that look at an action, by the action's kind.
LOOKS: dict[str, list[tuple[Rule, Look]]] = {}


def declare(rule: Rule) -> None:
    """Register a rule that no look at a single action finds: the linter or the server does.

    Raises:
        ValueError: There is one of this name.
    """
    if rule.id in RULES:
        raise ValueError(f"two rules are called {rule.id}")
    RULES[rule.id] = rule


def rule(
    id: str,
    *kinds: str,
    title: str,
    why: str,
    bad: str,
    safe: str,
    severity: Severity = Severity.WARNING,
    lock: str = "",
    slow: bool = False,
    needs_database: bool = False,
    opt_in: bool = False,
    certain: bool = False,
) -> Callable[[Look], Look]:
    """Register a rule with the function that looks at actions of these kinds."""

    def register(look: Look) -> Look:
        theme = look.__module__.rpartition(".")[2]
        made = Rule(id, title, why, severity, bad, safe, theme, lock, slow, needs_database, opt_in, certain)
        declare(made)
        for kind in kinds:
            LOOKS.setdefault(kind, []).append((made, look))
        return look

    return register


def finding(rule: Rule, hit: Hit, file: str, statement: int, line: int) -> Finding:
    """Return the finding that a hit is."""
    return Finding(
        rule,
        file,
        hit.line or line,
        statement,
        name(*(hit.object or hit.subject.table)) if hit.object or hit.subject.table else "",
        hit.message,
        hit.severity or rule.severity,
        hit.rewrite,
        Certainty.CONFIRMED if rule.certain else Certainty.GUESS,
        subject=hit.subject,
    )
