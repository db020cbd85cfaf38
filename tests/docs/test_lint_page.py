"""The page about the lint rules is what the rules say."""

from __future__ import annotations

from sqlmigrations.lint.base import RULES
from tests.docs.pages import anchors, sections
from tests.lint.page import FILE, page


def test_the_page_is_written_from_the_rules() -> None:
    """Write it anew with: python -m tests.lint.page."""
    assert FILE.read_text(encoding="utf-8") == page()


def test_every_rule_has_an_anchor() -> None:
    assert {rule.id for rule in RULES.values()} <= anchors(FILE)
    assert {rule.docs for rule in RULES.values()} == {f"docs/reference/lint.md#{id}" for id in RULES}
    assert set(RULES) <= set(sections("lint"))
