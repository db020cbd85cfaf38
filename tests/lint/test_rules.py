"""Every rule: its bad example is found at its line, its safe one and its rewrite are silent."""

from __future__ import annotations

import pytest
from django.utils import translation

from sqlmigrations.lint.base import RULES, Rule
from sqlmigrations.lint.rewriting import NEXT_FILE
from sqlmigrations.output.phrases import said
from tests.lint.helpers import look

#: Rules that are found by what a server says, not in the text.
BY_THE_SERVER = {"syntax-error", "rows-in-the-way"}
LOOKED_FOR = [rule for rule in RULES.values() if rule.id not in BY_THE_SERVER]
#: Rules of which the catalog alone knows which form is safe.
BY_THE_CATALOG = {rule.id for rule in RULES.values() if rule.needs_database}
#: Words of the statement where the bad example is found, if it is not on its last line.
ELSEWHERE = {
    "transaction-control": "COMMIT",
    "lock-timeout": "SET",
    "commit-in-block": "COMMIT",
    "dynamic-sql": "EXECUTE",
    "unknown-rule": "--",
    "nothing-to-allow": "--",
}


@pytest.mark.parametrize("rule", LOOKED_FOR, ids=lambda rule: rule.id)
def test_the_bad_form_is_found_at_its_line(rule: Rule) -> None:
    lines = rule.bad.splitlines()
    word = ELSEWHERE.get(rule.id)
    line = len(lines) if word is None else next(n for n, text in enumerate(lines, 1) if word in text)
    found = [(one.line, one.stands) for one in look(rule.bad, style=True) if one.rule is rule]
    assert found == [(line, True)]


@pytest.mark.parametrize(
    "rule", [rule for rule in LOOKED_FOR if rule.id not in BY_THE_CATALOG], ids=lambda rule: rule.id
)
def test_the_safe_form_is_silent(rule: Rule) -> None:
    assert [one for one in look(rule.safe, style=True) if one.rule is rule and one.stands] == []


@pytest.mark.parametrize(
    "rule", [rule for rule in LOOKED_FOR if rule.id not in BY_THE_CATALOG], ids=lambda rule: rule.id
)
def test_what_it_says_to_write_instead_is_silent(rule: Rule) -> None:
    for found in look(rule.bad, style=True):
        if found.rule is rule:
            again = look(*found.rewrite.split(NEXT_FILE), style=True)
            assert [one.where for one in again if one.rule is rule and one.stands] == []


@pytest.mark.parametrize("rule", LOOKED_FOR, ids=lambda rule: rule.id)
def test_what_it_finds_can_be_said_in_german(rule: Rule) -> None:
    messages = [one.message for one in look(rule.bad, style=True) if one.rule is rule]

    with translation.override("de"):
        assert [message for message in messages if said(message) == message] == []
