"""One row of the matrix: three states of the world, and what each role is told of them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from sqlmigrations.health.base import Check, Result
from tests.health.matrix.world import State


@dataclass(frozen=True, kw_only=True)
class By:
    """Answers that differ by who asks."""

    app: str = ""
    monitor: str = ""
    bare: str = ""


@dataclass(frozen=True)
class Newer:
    """Answers that differ by the server: from a major version on, and before."""

    major: int
    answers: str | By
    before: str | By


Answers = str | By | Newer


@dataclass(frozen=True, kw_only=True)
class Case:
    """A check, asked in three states.

    ``nothing`` is a state in which there is nothing to judge it by, asked with the check's own thresholds. In the other
    two those of ``check`` hold, which may be lower where a server can't be made so ill in a test.
    """

    check: Check
    nothing: State = ""
    #: None where another case of the check has it.
    no: Answers | None = None
    well: State
    ok: Answers
    ill: State
    bad: Answers
    #: What those are told in both of them who may not see what there is.
    hidden: str = ""
    hidden_from: tuple[str, ...] = ()
    #: The fixes of each finding, by their places, after which nothing is found any more; none where it takes more.
    mends: tuple[int, ...] = (0,)
    #: The first major version that can be made so.
    since: int = 14
    #: What tells two cases of one check apart.
    name: str = ""

    def __str__(self) -> str:
        return f"{self.check.id}-{self.name}" if self.name else self.check.id

    @property
    def states(self) -> dict[str, tuple[State, Check, Answers]]:
        """The states by name, with how the check is asked in each and what it answers."""
        of_two = {"well": (self.well, self.check, self.ok), "ill": (self.ill, self.check, self.bad)}
        return of_two if self.no is None else {"nothing": (self.nothing, type(self.check)(), self.no), **of_two}

    def expected(self, state: str, role: str, major: int) -> str:
        """Return what one role is told in one state on a server."""
        answers = self.states[state][2]
        if isinstance(answers, Newer):
            answers = answers.answers if major >= answers.major else answers.before
        if state != "nothing" and role in self.hidden_from:
            answers = self.hidden
        text = answers if isinstance(answers, str) else getattr(answers, role)
        # What is indented further goes on with the line before.
        return re.sub(r"\n {4,}", " ", textwrap.dedent(text).strip()).replace("<role>", role)


def worded(result: Result) -> str:
    """Return a whole answer as text: status and evidence, what was examined, and each finding with its fixes."""
    lines = [f"{result.status}, {result.check.evidence}: {result.reason or _examined(result)}"]
    if result.remedy:
        lines.append(f"  {result.remedy}")
    for found in result.findings:
        lines.append(f"{found.severity} {found.subject}: {found.observed}; should be: {found.threshold}")
        lines += [f"  {fix.kind}: {fix.text}" for fix in found.fixes]
    return "\n".join(lines)


def _examined(result: Result) -> str:
    left_out = f"; left out: {result.left_out}" if result.left_out else ""
    return f"{result.examined} {result.check.examines}{left_out}"


#: What stands in expected answers for what differs from run to run.
PLACEHOLDERS = {
    "<n>": r"\d[\d,]*",
    "<pid>": r"\d+",
    "<time>": r"[\d.]+ (?:ms|s|min|h)",
    # A primary can't tell how late a standby is that had replayed everything before it stopped.
    "<, time>": r"(?:, [\d.]+ (?:ms|s|min|h))?",
    "<size>": r"[\d.]+ (?:bytes|kB|MB)",
    "<query>": r"-?\d+",
    "<major>": r"\d\d",
    "<version>": r"\d[^:]*",
    "<wal>": r"[0-9A-F]{24}",
}


def like(given: str, wanted: str) -> str:
    """Return ``wanted`` if ``given`` is the same but for its placeholders, else ``given``."""
    pattern = re.escape(wanted)
    for placeholder, matching in PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(placeholder), matching)
    return wanted if re.fullmatch(pattern, given) else given
