"""The linter and the server agree on what is slow: each rule's bad example is run, and what it does measured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from sqlmigrations.lint.base import RULES, Rule
from sqlmigrations.service.prediction import UNHEARD
from sqlmigrations.service.rehearse import FileRehearsal, RehearseOptions, Where, rehearse
from tests.databases import leading_to, new_database, session
from tests.helpers import put, run_sql
from tests.lint.helpers import SCHEMA, source

#: Slow only where the server's time zone isn't UTC, as the catalog tells the linter: both say nothing here.
NOT_HERE = {"timestamp-to-timestamptz"}
#: Nothing is said by the catalog's rules about a table of few rows, as this one is.
TOO_SMALL = {"primary-key-reads-table"}
SLOW = [rule for rule in RULES.values() if rule.slow and rule.id not in UNHEARD | NOT_HERE | TOO_SMALL]


#: Forms that no run takes, since they are refused when they are read.
REFUSED = {("needs-transaction-off", "bad"), ("transaction-control", "bad")}
FORMS = [
    (rule, form)
    for rule in RULES.values()
    for form in ("bad", "safe")
    if not rule.opt_in and (rule.id, form) not in REFUSED
]
#: Relations that are locked without a word: there is no rule about it, or the file itself says that it may be.
NOT_TOLD = {
    ("drop-foreign-key", "safe"): ["public.orders"],
    ("drop-schema", "safe"): ["attic.old"],
}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Make a database with the tables that the rules' examples are about, for all tests."""
    with new_database(f"sqlm_prediction_{os.getpid()}") as name:
        with session(dbname=name) as connection:
            connection.execute(SCHEMA.encode())
        yield name


@pytest.fixture
def examples(database: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Point the alias ``default`` there for one test; a rehearsal leaves it as it was."""
    with django_db_blocker.unblock(), leading_to(database):
        yield


def rehearsed(folder: Path, text: str) -> FileRehearsal:
    """Rehearse one file: in place where it can be rolled back, else in a copy."""
    put(folder, {"001.sql": text})
    where = Where.IN_PLACE if source(text).directives.transaction else Where.SCHEMA
    (result,) = rehearse(RehearseOptions(where=where)).files
    assert result.run is not None
    return result


@pytest.mark.parametrize("rule", SLOW, ids=lambda rule: rule.id)
def test_what_a_rule_calls_slow_is_measured_slow(examples: None, folder: Path, rule: Rule) -> None:
    result = rehearsed(folder, rule.bad)
    assert result.run is not None
    assert result.run.error is None
    assert rule.id in {found for each in result.predictions for found in each.rules}
    assert [str(each) for each in result.predictions if not each.agrees] == []


def check_locks(folder: Path, rule: Rule, form: str) -> None:
    """Rehearse one form of a rule: every lock that keeps others out is predicted, and the other way round."""
    result = rehearsed(folder, rule.bad if form == "bad" else rule.safe)
    assert [each.relation for each in result.locks if not each.agrees] == NOT_TOLD.get((rule.id, form), [])


def form_id(value: object) -> str:
    return value.id if isinstance(value, Rule) else str(value)


@pytest.mark.parametrize(("rule", "form"), FORMS[::9], ids=form_id)
def test_locks_are_those_that_were_predicted(examples: None, folder: Path, rule: Rule, form: str) -> None:
    check_locks(folder, rule, form)


@pytest.mark.nightly
@pytest.mark.parametrize(("rule", "form"), FORMS, ids=form_id)
def test_all_locks_are_those_that_were_predicted(examples: None, folder: Path, rule: Rule, form: str) -> None:
    check_locks(folder, rule, form)


def test_locks_that_the_text_does_not_show_are_told_by_a_rule(fresh_database: str, folder: Path) -> None:
    """Foreign keys that point to a column are made again when its type changes."""
    run_sql("CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE notes (author int REFERENCES users)")
    result = rehearsed(folder, "ALTER TABLE users ALTER id TYPE bigint;")
    assert [(str(each), each.agrees) for each in result.locks] == [
        ("public.notes: predicted no lock, measured AccessExclusive", True),
        ("public.users: predicted AccessExclusive, measured AccessExclusive", True),
    ]


def test_a_lock_that_nobody_foresaw_is_told(fresh_database: str, folder: Path) -> None:
    """No rule asks the catalog what goes with a function."""
    run_sql(
        "CREATE TABLE notes (); CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
        "CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION noop()"
    )
    result = rehearsed(folder, "DROP FUNCTION noop() CASCADE;")
    assert [(str(each), each.agrees) for each in result.locks] == [
        ("public.notes: predicted no lock, measured AccessExclusive", False),
    ]


def test_what_is_proven_is_neither_predicted_nor_measured(fresh_database: str, folder: Path) -> None:
    run_sql("CREATE TABLE users (name text CONSTRAINT c CHECK (name IS NOT NULL)); INSERT INTO users VALUES ('a')")
    put(folder, {"001.sql": "ALTER TABLE users ALTER name SET NOT NULL;"})
    (result,) = rehearse(RehearseOptions(where=Where.IN_PLACE)).files
    assert (result.state, result.predictions) == ("ok", ())
