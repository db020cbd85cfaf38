"""Tests that the page of patterns leaves no rule out, and that its own files are silent."""

from __future__ import annotations

import re

from sqlmigrations.lint.base import RULES
from tests.docs.pages import DOCS
from tests.docs.walk import File, steps
from tests.lint.helpers import told

PAGE = DOCS / "howto" / "zero-downtime.md"

#: What such rules find stops nobody: it fails, it can't be read, or it is a matter of taste.
OTHER_THEMES = {"names", "style"}
OTHERS = {
    "nothing-to-allow",
    "syntax-error",
    "transaction-control",
    "unknown-rule",
    "unparsed",
    "column-set-twice",
}


def test_every_rule_about_others_has_its_pattern() -> None:
    linked = set(re.findall(r"\(\.\./reference/lint\.md#([a-z-]+)\)", PAGE.read_text(encoding="utf-8")))
    expected = {rule.id for rule in RULES.values() if rule.theme not in OTHER_THEMES} - OTHERS
    assert linked == expected


def test_the_files_of_the_patterns_are_silent() -> None:
    files = [step for step in steps(PAGE.read_text(encoding="utf-8")) if isinstance(step, File)]
    assert len(files) == 20
    assert [told(file.text) for file in files if told(file.text)] == []
