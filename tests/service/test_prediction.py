"""The linter and the server agree on what is slow: each rule's bad example is run, and what it does measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from sqlmigrations.lint.base import RULES, Rule
from sqlmigrations.service.prediction import UNHEARD
from sqlmigrations.service.rehearse import RehearseOptions, Where, rehearse
from tests.helpers import put, run_sql
from tests.lint.helpers import SCHEMA

#: Slow only where the server's time zone isn't UTC, as the catalog tells the linter: both say nothing here.
NOT_HERE = {"timestamp-to-timestamptz"}
#: Nothing is said by the catalog's rules about a table of few rows, as this one is.
TOO_SMALL = {"primary-key-reads-table"}
SLOW = [rule for rule in RULES.values() if rule.slow and rule.id not in UNHEARD | NOT_HERE | TOO_SMALL]


@pytest.mark.parametrize("rule", SLOW, ids=lambda rule: rule.id)
def test_what_a_rule_calls_slow_is_measured_slow(fresh_database: str, folder: Path, rule: Rule) -> None:
    run_sql(SCHEMA)
    put(folder, {"001.sql": rule.bad})
    where = Where.SCHEMA if "transaction off" in rule.bad else Where.IN_PLACE
    (result,) = rehearse(RehearseOptions(where=where)).files
    assert result.run is not None
    assert result.run.error is None
    assert rule.id in {found for each in result.predictions for found in each.rules}
    assert [str(each) for each in result.predictions if not each.agrees] == []


def test_what_is_proven_is_neither_predicted_nor_measured(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE users (name text CONSTRAINT c CHECK (name IS NOT NULL)); INSERT INTO users VALUES ('a')")
    put(folder, {"001.sql": "ALTER TABLE users ALTER name SET NOT NULL;"})
    (result,) = rehearse(RehearseOptions(where=Where.IN_PLACE)).files
    assert (result.state, result.predictions) == ("ok", ())
