"""Rules about columns that are added to a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlmigrations.files.trees import Node, Path, named
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Subject, rule
from sqlmigrations.lint.definitions import constraints, definition, in_parentheses, type_of, written_type
from sqlmigrations.lint.rewriting import NEXT_FILE, TRANSACTION_OFF, constraint_name, identifier, words
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity

_SERIAL = {
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
    "smallserial": "smallint",
    "serial2": "smallint",
}
#: Functions of PostgreSQL that give another value for each row (pg_proc.provolatile of 14 to 18).
_VOLATILE = words(
    "clock_timestamp gen_random_bytes gen_random_uuid nextval random random_normal setval timeofday "
    "uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7 txid_current currval lastval"
)
#: Functions of PostgreSQL that are often a default, and are computed once.
_STABLE = words(
    "now transaction_timestamp statement_timestamp current_setting lower upper md5 to_jsonb jsonb_build_object "
    "jsonb_build_array json_build_object json_build_array date_trunc timezone to_timestamp to_char to_date "
    "make_interval make_date int4range int8range numrange tsrange tstzrange daterange array_fill string_to_array "
    "concat replace trim btrim repeat length coalesce point box decode encode hashtext to_tsvector "
    "current_database current_schema version txid_current_if_assigned pg_backend_pid inet_client_addr "
    "inet_server_addr extract age abs round ceil floor trunc"
)


def _subject(action: Action) -> Subject:
    return Subject(action.table, column=definition(action)["colname"], node=definition(action))


@rule(
    "add-column-volatile-default",
    "AT_AddColumn",
    title="ADD COLUMN with a volatile default",
    why="A default that differs from row to row has to be written into each: the whole table and its indexes are "
    "rewritten while nobody can read it. A constant, or now(), is kept once and costs nothing.",
    bad="ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    safe="ALTER TABLE orders ADD COLUMN token uuid;\nALTER TABLE orders ALTER COLUMN token SET DEFAULT "
    "gen_random_uuid();",
    lock="add-column-volatile-default",
    slow=True,
)
def add_column_volatile_default(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a default that has to be computed for every row."""
    default = constraints(definition(action)).get("DEFAULT")
    if default is None or (default_calls := tuple(called(default.get("raw_expr")))) == ():
        return
    unknown = tuple(path for path in default_calls if path[-1] not in _STABLE)
    volatile = [path for path in unknown if path[-1] in _VOLATILE]
    if unknown:
        table, column = identifier(action.table), identifier((definition(action)["colname"],))
        function = (volatile or list(unknown))[0]
        rewritten = (
            _("{function}() differs from row to row: all of {table} is rewritten, and can't be read meanwhile.")
            if volatile
            else _(
                "If {function}() is VOLATILE, it differs from row to row: all of {table} is rewritten, and can't be "
                "read meanwhile."
            )
        )
        clause = action.clause.rstrip()
        expression = clause[clause.upper().find("DEFAULT") + len("DEFAULT") :].strip()
        yield Hit(
            _(rewritten, function=function[-1], table=table),
            f"ALTER TABLE {table} ADD COLUMN {column} {written_type(action, definition(action)['colname'])};\n"
            f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {expression};\n"
            f"-- Then fill the rows that are there, a few thousand at a time.",
            replace(_subject(action), functions=unknown),
            severity=None if volatile else Severity.INFO,
        )


def called(expression: Node | None) -> Iterator[Path]:
    """Yield the functions that an expression calls."""
    return (path for kind, path in named(expression) if kind == "called")


@rule(
    "add-column-serial",
    "AT_AddColumn",
    title="ADD COLUMN of a serial type, or an identity",
    why="Every row gets a number: the whole table and its indexes are rewritten while nobody can read it.",
    bad="ALTER TABLE orders ADD COLUMN number bigserial;",
    safe="ALTER TABLE orders ADD COLUMN number bigint;\nCREATE SEQUENCE orders_number_seq OWNED BY orders.number;\n"
    "ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('orders_number_seq');",
    lock="add-column-serial",
    slow=True,
)
def add_column_serial(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that numbers the rows that are there."""
    kind = type_of(action)
    if kind not in _SERIAL and "IDENTITY" not in constraints(definition(action)):
        return
    table, name = identifier(action.table), definition(action)["colname"]
    column, sequence = identifier((name,)), identifier((*action.table[:-1], f"{action.table[-1]}_{name}_seq"))
    plain = _SERIAL.get(kind) or written_type(action, name)
    yield Hit(
        _(
            "Every row of {table} gets its number now: all of it is rewritten, and can't be read meanwhile.",
            table=table,
        ),
        f"ALTER TABLE {table} ADD COLUMN {column} {plain};\n"
        f"CREATE SEQUENCE {sequence} OWNED BY {table}.{column};\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval('{sequence}');\n"
        f"-- Then number the rows that are there, a few thousand at a time.",
        _subject(action),
    )


@rule(
    "add-column-stored",
    "AT_AddColumn",
    title="ADD COLUMN GENERATED ... STORED",
    why="The column is computed for every row: the whole table and its indexes are rewritten while nobody can read "
    "it. From PostgreSQL 18 on, a VIRTUAL column costs nothing.",
    bad="ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) STORED;",
    safe="ALTER TABLE orders ADD COLUMN doubled numeric;",
    lock="add-column-stored",
    slow=True,
)
def add_column_stored(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that is computed for all rows and kept."""
    if "GENERATED" not in constraints(definition(action)):
        return
    table, name = identifier(action.table), definition(action)["colname"]
    yield Hit(
        _(
            "The column is computed for every row of {table}: all of it is rewritten, and can't be read meanwhile.",
            table=table,
        ),
        f"ALTER TABLE {table} ADD COLUMN {identifier((name,))} {written_type(action, name)};\n"
        f"-- Keep it with a trigger, and fill the rows that are there a few thousand at a time.",
        _subject(action),
    )


@rule(
    "add-column-not-null",
    "AT_AddColumn",
    title="ADD COLUMN ... NOT NULL without a default",
    why="It fails as soon as the table has a row, and code that doesn't know the column can't insert any more.",
    severity=Severity.ERROR,
    bad="ALTER TABLE orders ADD COLUMN remark text NOT NULL;",
    safe="ALTER TABLE orders ADD COLUMN remark text NOT NULL DEFAULT '';",
)
def add_column_not_null(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that no row has a value for."""
    found = constraints(definition(action))
    if not ({"NOTNULL", "PRIMARY"} & set(found)) or {"DEFAULT", "GENERATED", "IDENTITY"} & set(found):
        return
    if type_of(action) in _SERIAL:
        return
    table, column = identifier(action.table), identifier((definition(action)["colname"],))
    yield Hit(
        _(
            "This fails if {table} has a row, and without it every INSERT fails that doesn't name {column}.",
            table=table,
            column=column,
        ),
        f"ALTER TABLE {table} ADD COLUMN {column} {written_type(action, definition(action)['colname'])};",
        _subject(action),
    )


@rule(
    "add-column-check",
    "AT_AddColumn",
    title="ADD COLUMN ... CHECK",
    why="The whole table is read under a lock that keeps readers out, though all its rows have the same value there.",
    bad="ALTER TABLE orders ADD COLUMN weight int CHECK (weight > 0);",
    safe="ALTER TABLE orders ADD COLUMN weight int;\n"
    "ALTER TABLE orders ADD CONSTRAINT orders_weight_check CHECK (weight > 0) NOT VALID;",
    lock="add-column-check",
    slow=True,
)
def add_column_check(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a new column whose check reads the whole table."""
    check = constraints(definition(action)).get("CHECK")
    if check is None or check.get("skip_validation"):
        return
    table, name = identifier(action.table), definition(action)["colname"]
    constraint = identifier((check.get("conname") or constraint_name(action.table, (name,), "check"),))
    expression = in_parentheses(action.clause, "CHECK")
    yield Hit(
        _("All of {table} is read, and nobody else can read it meanwhile.", table=table),
        f"ALTER TABLE {table} ADD COLUMN {identifier((name,))} {written_type(action, name)};\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK {expression} NOT VALID;"
        f"{NEXT_FILE}ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};",
        _subject(action),
    )


@rule(
    "add-column-unique",
    "AT_AddColumn",
    title="ADD COLUMN ... UNIQUE or PRIMARY KEY",
    why="The index is built while nobody can read the table.",
    bad="ALTER TABLE orders ADD COLUMN reference text UNIQUE;",
    safe="ALTER TABLE orders ADD COLUMN reference text;",
    lock="add-column-unique",
    slow=True,
)
def add_column_unique(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a new column that brings an index along."""
    found = constraints(definition(action))
    key = found.get("UNIQUE") or found.get("PRIMARY")
    if key is None:
        return
    table, name = identifier(action.table), definition(action)["colname"]
    key_name = key.get("conname") or constraint_name(action.table, (name,), "key")
    constraint = identifier((key_name,))
    kind = "UNIQUE" if "UNIQUE" in found else "PRIMARY KEY"
    column = identifier((name,))
    yield Hit(
        _("The index of {column} is built while nobody can read {table}.", column=column, table=table),
        f"ALTER TABLE {table} ADD COLUMN {column} {written_type(action, name)};"
        f"{NEXT_FILE}{TRANSACTION_OFF}CREATE UNIQUE INDEX CONCURRENTLY {constraint} ON {table} ({column});"
        f"{NEXT_FILE}ALTER TABLE {table} ADD CONSTRAINT {constraint} {kind} USING INDEX {constraint};",
        replace(_subject(action), index=(*action.table[:-1], key_name)),
    )
