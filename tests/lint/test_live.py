"""What the live catalog says: confirmed, cleared, worse; each on the server at hand."""

from __future__ import annotations

import psycopg
import pytest

from sqlmigrations.lint import catalog as catalog_module
from sqlmigrations.lint.base import RULES, Certainty, Finding, Rule, Severity
from sqlmigrations.lint.linter import tell
from sqlmigrations.lint.live import confirm
from tests.lint.conftest import Connection, Copy
from tests.lint.helpers import look, source

BY_THE_SERVER = {"syntax-error", "rows-in-the-way"}
LOOKED_FOR = [rule for rule in RULES.values() if rule.id not in BY_THE_SERVER and not rule.opt_in]


@pytest.fixture
def every_table_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take tables of two rows for large ones."""
    monkeypatch.setattr(catalog_module, "FEW", 2)


def confirmed(connection: Connection, *texts: str) -> list[Finding]:
    """Return what is told of these files with the database."""
    return tell(confirm(look(*texts), connection))


def short(found: list[Finding]) -> list[tuple[str, Certainty, str]]:
    """Return rule, certainty and reason of each."""
    return [(one.rule.id, one.certainty, one.because) for one in found]


@pytest.mark.usefixtures("every_table_counts")
@pytest.mark.parametrize("rule", LOOKED_FOR, ids=lambda rule: rule.id)
def test_the_bad_form_is_confirmed(rule: Rule, live: Connection) -> None:
    found = [one.certainty for one in confirmed(live, rule.bad) if one.rule is rule]
    if rule.id in ("drop-schema", "rename-schema", "rename-enum-value"):
        assert found == [Certainty.GUESS]
    else:
        assert found == [Certainty.CONFIRMED]


@pytest.mark.usefixtures("every_table_counts")
@pytest.mark.parametrize("rule", [rule for rule in LOOKED_FOR if rule.needs_database], ids=lambda rule: rule.id)
def test_the_safe_form_is_cleared(rule: Rule, live: Connection) -> None:
    assert [one.message for one in confirmed(live, rule.safe) if one.rule is rule] == []


def run(connection: Connection, text: str) -> None:
    """Run a text as the runner would, and roll it back where it is one transaction."""
    file = source(text)
    if not file.directives.transaction:
        for statement in file.statements:
            connection.execute(statement.sql)
        return
    with connection.transaction(force_rollback=True):
        for statement in file.statements:
            connection.execute(statement.sql)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


RUNNABLE = [rule for rule in LOOKED_FOR if rule.safe != "SELECT 1;"]


@pytest.mark.parametrize(
    "rule", [rule for rule in RUNNABLE if "transaction off" not in rule.safe], ids=lambda rule: rule.id
)
def test_the_safe_form_runs(rule: Rule, live: Connection) -> None:
    run(live, rule.safe)


@pytest.mark.parametrize(
    "rule", [rule for rule in RUNNABLE if "transaction off" in rule.safe], ids=lambda rule: rule.id
)
def test_the_safe_form_runs_outside_a_transaction(rule: Rule, copy: Copy) -> None:
    with copy() as connection:
        run(connection, rule.safe)


#: Rules whose bad form does not come through at all.
HARM_ONLY = {"transaction-control", "unknown-rule", "nothing-to-allow"}
FAIL = [rule for rule in LOOKED_FOR if rule.severity is Severity.ERROR and rule.id not in HARM_ONLY]


@pytest.mark.parametrize("rule", FAIL, ids=lambda rule: rule.id)
def test_what_is_an_error_fails(rule: Rule, live: Connection) -> None:
    with pytest.raises((psycopg.Error, psycopg.ProgrammingError)):
        run(live, rule.bad)
