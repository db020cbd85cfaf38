"""Rules about the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.tokens import code
from sqlmigrations.files.trees import Node, Path, named, relation, strings
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Severity, Subject, rule
from sqlmigrations.lint.scope import Scope
from sqlmigrations.lint.words import NEXT_FILE, TRANSACTION_OFF, allowed, constraint_name, identifier, words
from sqlmigrations.messages import gettext as _

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


def added(action: Action) -> Node:
    """Return the definition of the column that is added."""
    definition: Node = action.node["def"]["ColumnDef"]
    return definition


def constraints(column: Node) -> dict[str, Node]:
    """Return a column's constraints by their kind, without the prefix."""
    parts = [part["Constraint"] for part in column.get("constraints", []) if "Constraint" in part]
    return {str(part.get("contype", "")).removeprefix("CONSTR_"): part for part in parts}


def type_of(action: Action) -> str:
    """Return the type that a column definition names, as it is written."""
    names = strings(added(action).get("typeName", {}).get("names"))
    return names[-1] if names else ""


def written_type(action: Action, column: str) -> str:
    """Return the text between the column's name and its first constraint."""
    text = action.clause.encode()
    found = list(code(text))
    start = next((index for index, token in enumerate(found) if token.identifier == column and index), 0)
    stops = ("NOT", "NULL", "DEFAULT", "CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "REFERENCES", "GENERATED", "COLLATE")
    end = next((token.start for token in found[start + 1 :] if token.word in stops), len(text))
    return text[found[start].start + len(found[start].text) : end].decode().strip() if found else ""


def _subject(action: Action, **more: object) -> Subject:
    return Subject(action.table, column=added(action)["colname"], node=added(action), **more)  # type: ignore[arg-type]


@rule(
    "add-column-volatile-default",
    "AT_AddColumn",
    title="ADD COLUMN with a volatile default",
    why="A default that differs from row to row has to be written into each: the whole table and its indexes are "
    "rewritten "
    "while nobody can read it. A constant, or now(), is kept once and costs nothing.",
    bad="ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    safe="ALTER TABLE orders ADD COLUMN token uuid;\nALTER TABLE orders ALTER COLUMN token SET DEFAULT "
    "gen_random_uuid();",
    lock="add-column-volatile-default",
    slow=True,
)
def add_column_volatile_default(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a default that has to be computed for every row."""
    default = constraints(added(action)).get("DEFAULT")
    if default is None or (default_calls := tuple(called(default.get("raw_expr")))) == ():
        return
    unknown = tuple(path for path in default_calls if path[-1] not in _STABLE)
    volatile = [path for path in unknown if path[-1] in _VOLATILE]
    if unknown:
        table, column = identifier(action.table), identifier((added(action)["colname"],))
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
            f"ALTER TABLE {table} ADD COLUMN {column} {written_type(action, added(action)['colname'])};\n"
            f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {expression};\n"
            f"-- Then fill the rows that are there, a few thousand at a time.",
            _subject(action, functions=unknown),
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
    if kind not in _SERIAL and "IDENTITY" not in constraints(added(action)):
        return
    table, name = identifier(action.table), added(action)["colname"]
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
    "it. From "
    "PostgreSQL 18 on, a VIRTUAL column costs nothing.",
    bad="ALTER TABLE orders ADD COLUMN doubled numeric GENERATED ALWAYS AS (amount * 2) STORED;",
    safe="ALTER TABLE orders ADD COLUMN doubled numeric;",
    lock="add-column-stored",
    slow=True,
)
def add_column_stored(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that is computed for all rows and kept."""
    if "GENERATED" not in constraints(added(action)):
        return
    table, name = identifier(action.table), added(action)["colname"]
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
    found = constraints(added(action))
    if not ({"NOTNULL", "PRIMARY"} & set(found)) or {"DEFAULT", "GENERATED", "IDENTITY"} & set(found):
        return
    if type_of(action) in _SERIAL:
        return
    table, column = identifier(action.table), identifier((added(action)["colname"],))
    yield Hit(
        _(
            "This fails if {table} has a row, and without it every INSERT fails that doesn't name {column}.",
            table=table,
            column=column,
        ),
        f"ALTER TABLE {table} ADD COLUMN {column} {written_type(action, added(action)['colname'])};",
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
    check = constraints(added(action)).get("CHECK")
    if check is None or check.get("skip_validation"):
        return
    table, name = identifier(action.table), added(action)["colname"]
    constraint = identifier((check.get("conname") or constraint_name(action.table, (name,), "check"),))
    expression = in_parentheses(action.clause, "CHECK")
    yield Hit(
        _("All of {table} is read, and nobody else can read it meanwhile.", table=table),
        f"ALTER TABLE {table} ADD COLUMN {identifier((name,))} {written_type(action, name)};\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK {expression} NOT VALID;"
        f"{NEXT_FILE}ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};",
        _subject(action),
    )


def in_parentheses(text: str, word: str) -> str:
    """Return what stands in the parentheses after a word, with them."""
    raw, depth, begin = text.encode(), 0, -1
    seen = False
    for token in code(raw):
        seen = seen or token.word == word
        if not seen:
            continue
        if token.text == b"(":
            begin = token.start if not depth else begin
            depth += 1
        elif token.text == b")":
            depth -= 1
            if not depth:
                return raw[begin : token.start + 1].decode()
    return "(true)"


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
    found = constraints(added(action))
    key = found.get("UNIQUE") or found.get("PRIMARY")
    if key is None:
        return
    table, name = identifier(action.table), added(action)["colname"]
    constraint = identifier((key.get("conname") or constraint_name(action.table, (name,), "key"),))
    kind = "UNIQUE" if "UNIQUE" in found else "PRIMARY KEY"
    column = identifier((name,))
    yield Hit(
        _("The index of {column} is built while nobody can read {table}.", column=column, table=table),
        f"ALTER TABLE {table} ADD COLUMN {column} {written_type(action, name)};"
        f"{NEXT_FILE}{TRANSACTION_OFF}CREATE UNIQUE INDEX CONCURRENTLY {constraint} ON {table} ({column});"
        f"{NEXT_FILE}ALTER TABLE {table} ADD CONSTRAINT {constraint} {kind} USING INDEX {constraint};",
        _subject(action, index=(*action.table[:-1], constraint)),
    )


@rule(
    "set-not-null",
    "AT_SetNotNull",
    title="SET NOT NULL",
    why="The whole table is read while nobody else can read it, unless a valid CHECK (column IS NOT NULL) proves it.",
    bad="ALTER TABLE orders ALTER COLUMN code SET NOT NULL;",
    safe="ALTER TABLE orders ADD CONSTRAINT orders_code_not_null CHECK (code IS NOT NULL) NOT VALID;",
    lock="set-not-null",
    slow=True,
)
def set_not_null(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column whose values are all looked at."""
    table, column = identifier(action.table), identifier((action.node["name"],))
    constraint = identifier((constraint_name(action.table, (action.node["name"],), "not_null"),))
    yield Hit(
        _("All of {table} is read for NULLs, and nobody else can read it meanwhile.", table=table),
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;"
        f"{NEXT_FILE}ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};"
        f"{NEXT_FILE}-- sqlmigrations: allow set-not-null: {constraint} proves it, so nothing is read\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT {constraint};",
        Subject(action.table, column=action.node["name"], node=action.node),
    )


@rule(
    "change-column-type",
    "AT_AlterColumnType",
    title="ALTER COLUMN ... TYPE",
    why="Most changes rewrite the whole table and its indexes while nobody can read it. Some cost nothing: varchar to "
    "a "
    "longer one or to text, numeric to more digits before the point.",
    bad="ALTER TABLE orders ALTER COLUMN id TYPE bigint;",
    safe="ALTER TABLE orders ADD COLUMN id_new bigint;",
    lock="change-column-type",
    slow=True,
)
def change_column_type(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another type."""
    kind = strings(added(action).get("typeName", {}).get("names"))[-1:]
    if kind == ("timestamptz",) or (kind == ("timestamp",) and "with time zone" in action.clause.lower()):
        return
    table, column = identifier(action.table), action.node["name"]
    new, old = identifier((f"{column}_new",)), identifier((column,))
    yield Hit(
        _(
            "Unless its old type is stored alike, all of {table} is rewritten, and can't be read meanwhile.",
            table=table,
        ),
        f"ALTER TABLE {table} ADD COLUMN {new} {_new_type(action)};\n"
        f"-- Write both columns, fill the new one a few thousand rows at a time, then read it instead of {old}.",
        Subject(action.table, column=column, node=added(action)),
    )


def _new_type(action: Action) -> str:
    """Return the type as ALTER COLUMN ... TYPE writes it."""
    upper = action.clause.upper()
    start = upper.find(" TYPE ") + len(" TYPE ")
    end = upper.find(" USING ", start)
    return " ".join(action.clause[start : end if end > 0 else None].split())


@rule(
    "timestamp-to-timestamptz",
    "AT_AlterColumnType",
    title="timestamp to timestamptz",
    why="With TimeZone at UTC nothing is rewritten; with any other the whole table is, while nobody can read it. The "
    "values "
    "mean something else, too: they are taken as times of that zone.",
    bad="ALTER TABLE orders ALTER COLUMN placed TYPE timestamptz;",
    safe="SET LOCAL timezone = 'UTC';\nALTER TABLE orders ALTER COLUMN placed TYPE timestamptz;",
    lock="timestamp-to-timestamptz",
    slow=True,
)
def timestamp_to_timestamptz(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a change to timestamptz in a session whose time zone isn't said."""
    kind = strings(added(action).get("typeName", {}).get("names"))[-1:]
    if kind == ("timestamptz",) and scope.file.timezone.upper() not in ("UTC", "GMT", "ETC/UTC"):
        table = identifier(action.table)
        yield Hit(
            _("Unless TimeZone is UTC, all of {table} is rewritten, and can't be read meanwhile.", table=table),
            f"SET LOCAL timezone = 'UTC';\n{action.text};",
            Subject(action.table, column=action.node["name"], node=added(action)),
        )


@rule(
    "change-type-of-viewed-column",
    "AT_AlterColumnType",
    title="ALTER COLUMN ... TYPE of a column that a view shows",
    why="PostgreSQL refuses it: the view has to be dropped before and made again after.",
    severity=Severity.ERROR,
    bad="ALTER TABLE viewed ALTER COLUMN a TYPE bigint;",
    safe="DROP VIEW viewed_v;\nALTER TABLE viewed ALTER COLUMN a TYPE bigint;\nCREATE VIEW viewed_v AS SELECT a FROM "
    "viewed;",
    needs_database=True,
)
def change_type_of_viewed_column(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another type, for the catalog to say which views show it."""
    yield Hit(
        _("A view may show {column}.", column=identifier((action.node["name"],))),
        subject=Subject(action.table, column=action.node["name"]),
    )


@rule(
    "change-type-locks-others",
    "AT_AlterColumnType",
    title="ALTER COLUMN ... TYPE of a column of a foreign key",
    why="The foreign key is made again: the table at its other end is locked as well, and all rows are compared again.",
    bad="ALTER TABLE refers ALTER COLUMN order_id TYPE bigint;",
    safe="ALTER TABLE refers ADD COLUMN order_id_new bigint;",
    lock="change-column-type-referenced",
    needs_database=True,
)
def change_type_locks_others(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another type, for the catalog to say which tables are locked with it."""
    yield Hit(
        _("Tables at the other end of its foreign keys are locked as well."),
        subject=Subject(action.table, column=action.node["name"]),
    )


@rule(
    "drop-column",
    "AT_DropColumn",
    title="DROP COLUMN",
    why="Its data is gone, and code that still names the column fails: until the last old server is replaced, Django's "
    "queries name every column of a model.",
    bad="ALTER TABLE orders DROP COLUMN note;",
    safe="-- sqlmigrations: allow drop-column: no release has read it since 4.2\nALTER TABLE orders DROP COLUMN note;",
    lock="drop-column",
)
def drop_column(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that goes."""
    table, column = identifier(action.table), identifier((action.node["name"],))
    yield Hit(
        _("What {column} holds is lost, and every query fails that still names it.", column=column),
        allowed("drop-column", f"ALTER TABLE {table} {action.clause}", "no running code names it any more"),
        Subject(action.table, column=action.node["name"]),
    )


@rule(
    "rename-column",
    "RenameStmt",
    title="RENAME COLUMN",
    why="Code of before names the old column, code of after the new one: one of the two fails while both run.",
    bad="ALTER TABLE orders RENAME COLUMN note TO remark;",
    safe="ALTER TABLE orders ADD COLUMN remark text;",
    lock="rename-column",
)
def rename_column(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a column that gets another name."""
    if action.node.get("renameType") == "OBJECT_COLUMN" and action.node.get("relationType") == "OBJECT_TABLE":
        table = relation(action.node["relation"])
        yield Hit(
            _("Every query fails that still says {column}.", column=action.node["subname"]),
            allowed("rename-column", action.text, "no running code names it"),
            Subject(table, column=action.node["subname"]),
        )
