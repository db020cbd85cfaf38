"""Puts what the linter said of a statement beside what was measured when it ran."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlmigrations.lint.base import Finding
from sqlmigrations.runner.rehearsal import MeasuredStatement

#: Slow work of which the server says nothing while it does it, so that no rehearsal can tell.
UNHEARD = frozenset({"alter-domain-constraint", "delete-without-where", "update-without-where"})


@dataclass(frozen=True, slots=True)
class Prediction:
    """One statement of which slow work was predicted by ``rules``, or measured.

    ``cleared`` says why the catalog saw no danger in it, few rows for one.
    """

    statement: int
    line: int
    rules: tuple[str, ...]
    is_measured: bool
    duration_ms: float
    cleared: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both say that it is slow."""
        return bool(self.rules) and self.is_measured

    def __str__(self) -> str:
        predicted = f"predicted slow ({', '.join(self.rules)})" if self.rules else "not predicted"
        predicted += f" and cleared: {self.cleared}" if self.cleared else ""
        measured = "measured slow" if self.is_measured else "measured: nothing slow"
        return f"line {self.line}: {predicted}, {measured}, {self.duration_ms:,.1f} ms"


def predictions(findings: Iterable[Finding], measured: Iterable[MeasuredStatement]) -> Iterator[Prediction]:
    """Yield the statements of one file of which slow work was predicted or measured.

    What the catalog cleared counts as predicted, with the reason, where it was measured all the same.
    """
    slow = [finding for finding in findings if finding.rule.slow and finding.rule.id not in UNHEARD]
    for statement in measured:
        own = [finding for finding in slow if finding.statement == statement.number]
        standing = {finding.rule.id for finding in own if finding.stands}
        cleared = {finding.rule.id: finding.because for finding in own if not finding.stands and not standing}
        if standing or statement.is_slow:
            yield Prediction(
                statement.number,
                statement.line,
                tuple(sorted(standing or cleared)),
                statement.is_slow,
                statement.duration_ms,
                "; ".join(sorted(set(cleared.values()))),
            )
