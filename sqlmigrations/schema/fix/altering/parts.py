"""Alters what belongs to a relation: constraints, indexes, triggers, rules, statistics."""

from __future__ import annotations

from sqlmigrations.schema.catalog import container, last_part
from sqlmigrations.schema.fix import making
from sqlmigrations.schema.fix.altering.alteration import Alteration, make_anew, rebuild
from sqlmigrations.schema.fix.making.parts import index_definition, index_settings
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    comment_on,
    name_of,
    set_options,
    state_of,
    suffixed,
    values,
)


def alter_constraint(change: Alteration) -> Statements:
    """Yield the statements that alter a constraint."""
    alter = f"ALTER TABLE {change.table}"
    name = last_part(change.name)
    index = f"{container(change.table)}.{name}"
    wanted = change.wanted
    match change.attribute:
        case "validated" if change.value is None:
            yield f"{alter} VALIDATE CONSTRAINT {name}"
        case "deferrable" | "initially_deferred" | "enforced" if wanted["type"] == "foreign key":
            deferred = "INITIALLY DEFERRED" if wanted.get("initially_deferred") else "INITIALLY IMMEDIATE"
            how = f"DEFERRABLE {deferred}" if wanted.get("deferrable") else "NOT DEFERRABLE"
            if change.attribute == "enforced":
                how = "NOT ENFORCED" if change.value is False else "ENFORCED"
            yield f"{alter} ALTER CONSTRAINT {name} {how}"
        case "index_options":
            yield from set_options(f"ALTER INDEX {index}", change.value, change.before)
        case "index_tablespace":
            yield f"ALTER INDEX {index} SET TABLESPACE {name_of(str(change.value or 'pg_default'))}"
        case "index_valid" if change.value is None:
            yield Statement(f"REINDEX INDEX CONCURRENTLY {index}", alone=True)
        case "clustered":
            yield f"{alter} {f'CLUSTER ON {name}' if change.value else 'SET WITHOUT CLUSTER'}"
        case "index_valid":
            return
        case _:
            yield from _constraint_anew(change)


def _constraint_anew(change: Alteration) -> Statements:
    """Yield the statements that replace a constraint; a key's index is built before the old one goes."""
    name = last_part(change.name)
    made = [one if isinstance(one, Statement) else Statement(one) for one in make_anew(change)]
    built = [one for one in made if one.alone]
    if not built:
        yield f"ALTER TABLE {change.table} DROP CONSTRAINT {name}"
        yield from made
        return
    passing = suffixed(name, "_new")
    yield from (Statement(one.sql.replace(f" {name} ON ", f" {passing} ON ", 1), alone=True) for one in built)
    yield f"ALTER TABLE {change.table} DROP CONSTRAINT {name}"
    yield from (_using(one, name, passing) for one in made if not one.alone)


def _using(statement: Statement, name: str, passing: str) -> Statement:
    """Return the statement with the index under its passing name: ADD CONSTRAINT gives it its own."""
    return Statement(statement.sql.replace(f"USING INDEX {name}", f"USING INDEX {passing}", 1))


def alter_index(change: Alteration) -> Statements:
    """Yield the statements that alter an index, or replace it by one built beside it."""
    name, schema = last_part(change.name), container(change.name)
    partitioned = " ON ONLY " in str(change.present["definition"])
    match change.attribute:
        case "valid" | "ready" if change.value is None and not partitioned:
            yield Statement(f"REINDEX INDEX CONCURRENTLY {change.name}", alone=True)
        case "valid" | "ready" if change.value is not None:
            return
        case "clustered":
            alter = f"ALTER TABLE {change.table}"
            yield f"{alter} CLUSTER ON {name}" if change.value else f"{alter} SET WITHOUT CLUSTER"
        case "options":
            yield from set_options(f"ALTER INDEX {change.name}", change.value, change.before)
        case "tablespace":
            yield f"ALTER INDEX {change.name} SET TABLESPACE {name_of(str(change.value or 'pg_default'))}"
        case "statistics_targets":
            want, have = (dict(entry.split(": ") for entry in values(each)) for each in (change.value, change.before))
            for place in sorted({*want, *have}):
                yield f"ALTER INDEX {change.name} ALTER COLUMN {place} SET STATISTICS {want.get(place, '-1')}"
        case _ if partitioned:
            yield from rebuild(change)
        case _:
            passing = suffixed(name, "_new")
            yield index_definition(change.wanted, in_use=True, name=passing)
            yield making.drop(change.identity, change.present)
            yield f"ALTER INDEX {schema}.{passing} RENAME TO {last_part(change.proper.name)}"
            yield from index_settings(change.proper.name, change.wanted)
            if "comment" in change.wanted:
                yield comment_on(change.proper, change.wanted["comment"])


def alter_trigger(change: Alteration) -> Statements:
    """Yield the statements that alter a trigger or a rule."""
    if change.attribute == "state":
        yield state_of(change.table, change.identity.kind, last_part(change.name), change.value)
    else:
        yield from rebuild(change)


def alter_statistics(change: Alteration) -> Statements:
    """Yield the statements that alter extended statistics."""
    if change.attribute == "target":
        yield f"ALTER STATISTICS {change.name} SET STATISTICS {-1 if change.value is None else change.value}"
    else:
        yield from rebuild(change)
