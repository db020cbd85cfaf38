"""The page about the rules, its sections written from the rules themselves: ``python -m tests.lint.page``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlmigrations.lint import rules
from sqlmigrations.lint.base import PAGE, RULES, Rule
from tests.lint.lock_table import Measured, lock_table

FILE = Path(__file__).parents[2] / PAGE

_THEMES = {
    "indexes": "Indexes",
    "added_columns": "Columns that are added",
    "columns": "Columns",
    "constraints": "Constraints",
    "tables": "Tables",
    "partitions": "Partitions",
    "data": "Rows and values",
    "transactions": "Transactions, timeouts, files",
    "names": "Names",
    "style": "Style",
}


def page() -> str:
    """Return the whole page: what stands above its first section is kept."""
    head = FILE.read_text(encoding="utf-8").partition("\n## ")[0]
    return "\n".join([head, *(line for theme in _THEMES for line in _theme(theme))])


def _theme(theme: str) -> Iterator[str]:
    yield f"## {_THEMES[theme]}\n"
    if theme == "style":
        yield "Looked for with [`SQLMIGRATIONS_LINT_STYLE`](settings.md#sqlmigrations_lint_style) only.\n"
    for rule in RULES.values():
        if rule.theme == theme:
            yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.id}\n"
    needs = ", only with a database" if rule.needs_database else ""
    yield f"**{rule.title}.** ({rule.severity}{needs}) {rule.why}\n"
    if rule.lock:
        yield f"{_lock(rule.lock)}\n"
    yield "Found:\n"
    yield f"```sql\n{rule.bad}\n```\n"
    yield "Silent:\n"
    yield f"```sql\n{rule.safe}\n```\n"


def _lock(id: str) -> str:
    """Return what was measured, by versions where they differ."""
    entry = lock_table()[id]
    by_words: dict[str, list[int]] = {}
    for version, measured in entry.versions.items():
        by_words.setdefault(_words(measured), []).append(version)
    said = "; ".join(f"{words} (PostgreSQL {_versions(versions)})" for words, versions in by_words.items())
    return f"Measured, `{' '.join(entry.sql.split())}`: {said}."


def _versions(versions: list[int]) -> str:
    return " and ".join(map(str, versions))


def _words(measured: Measured) -> str:
    locks = [f"{mode} on {table}" for table, mode in measured.locks.items()]
    return ", ".join([*(locks or ["no lock on a table"]), *([measured.work] if measured.work else [])])


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")

__all__ = ["page", "rules"]
