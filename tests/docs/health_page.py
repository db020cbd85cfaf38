"""Writes the reference of health checks from the checks themselves: ``python -m tests.docs.health_page``."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.health.base import Check, Evidence
from sqlmigrations.health.registry import BUILT_IN
from sqlmigrations.health.units import size, span
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "health.md"

_WORDS = {
    Evidence.STRUCTURAL: "What the catalog says: true right after a migration as well as a year later.",
    Evidence.SNAPSHOT: "What happens at this moment.",
    Evidence.CUMULATIVE: "What counters say; they mean nothing before they have run for days.",
    Evidence.EXTERNAL: "What the server doesn't know: backups, Django's settings, poolers.",
}

_INTRODUCTION = """# Health checks

What [`dbhealth`](commands.md#dbhealth) asks. `dbhealth --explain ID` shows the same with the thresholds that hold for
a database, `--explain ID --sql` its SQL. Thresholds, ignores and checks of one's own are set in
[`SQLMIGRATIONS_HEALTH`](settings.md#sqlmigrations_health); [how to use them](../howto/health.md).

This page is written from the checks themselves.
"""


def lines() -> Iterator[str]:
    """Yield the page."""
    yield _INTRODUCTION.rstrip()
    for evidence in Evidence:
        checks = [check for check in BUILT_IN if check.evidence is evidence]
        if checks:
            yield ""
            yield f"## {evidence.capitalize()}"
            yield ""
            yield _WORDS[evidence]
            for check in checks:
                yield from _section(check)


def _section(check: type[Check]) -> Iterator[str]:
    yield ""
    yield f"### {check.id}"
    yield ""
    yield f"**{check.title}.** {check.explanation()}"
    yield ""
    facts = [f"Examines {check.examines}."]
    if check.tags:
        facts.append(f"Tags: {', '.join(f'`{tag}`' for tag in sorted(check.tags))}.")
    if check.right:
        facts.append(f"Needs `{check.right}` where the objects are not the role's own.")
    if check.opt_in:
        facts.append("Runs only when asked for.")
    yield " ".join(facts)
    if check.thresholds() or check.options():
        yield ""
        yield "| threshold | default |"
        yield "| --- | --- |"
        for name, default in check.thresholds().items():
            yield f"| `{name}` | {_worded(name, default)} |"
        for name, text in check.options().items():
            yield f"| `{name}` (text) | `{text!r}` |"


def _worded(name: str, value: float) -> str:
    match name.rpartition("_")[2]:
        case "bytes":
            return size(value)
        case "seconds":
            return span(value)
        case "percent":
            return f"{value:g} %"
    return f"{value:,.15g}"


def page() -> str:
    """Return the page's text."""
    return "\n".join(lines()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
