"""Rules about constraints."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmigrations.files.trees import Node, Path, relation, strings
from sqlmigrations.lint.actions import Action
from sqlmigrations.lint.base import Hit, Subject, rule
from sqlmigrations.lint.rewriting import NEXT_FILE, TRANSACTION_OFF, constraint_name, identifier
from sqlmigrations.lint.scope import Scope
from sqlmigrations.messages import gettext as _
from sqlmigrations.severity import Severity


def constraint(action: Action) -> Node:
    """Return the constraint that is added."""
    found: Node = action.node.get("def", {}).get("Constraint", {})
    return found


def _named(action: Action, suffix: str, columns: Path) -> tuple[str, str]:
    """Return the constraint's name, and its ADD with the name in it."""
    given = constraint(action).get("conname")
    if given:
        return given, action.clause
    made = constraint_name(action.table, columns, suffix)
    return made, action.clause.replace("ADD ", f"ADD CONSTRAINT {identifier((made,))} ", 1)


@rule(
    "add-foreign-key",
    "AT_AddConstraint",
    title="ADD FOREIGN KEY without NOT VALID",
    why="Both tables are read, and nobody can write to either meanwhile. NOT VALID holds for new rows at once; "
    "VALIDATE reads the old ones under a lock that stops nobody.",
    bad="ALTER TABLE refers ADD CONSTRAINT refers_item_fkey FOREIGN KEY (item) REFERENCES items (id);",
    safe="ALTER TABLE refers ADD CONSTRAINT refers_item_fkey FOREIGN KEY (item) REFERENCES items (id) NOT VALID;",
    lock="add-foreign-key",
    slow=True,
)
def add_foreign_key(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a foreign key whose rows are looked at while writers wait."""
    found = constraint(action)
    if found.get("contype") != "CONSTR_FOREIGN" or found.get("skip_validation"):
        return
    columns, other = strings(found.get("fk_attrs")), relation(found["pktable"])
    made, clause = _named(action, "fkey", columns)
    table = identifier(action.table)
    yield Hit(
        _(
            "{table} and {other} are read, and nobody can write to either meanwhile.",
            table=table,
            other=identifier(other),
        ),
        f"ALTER TABLE {table} {clause} NOT VALID;{NEXT_FILE}ALTER TABLE {table} VALIDATE CONSTRAINT "
        f"{identifier((made,))};",
        Subject(action.table, other, columns=columns, constraint=made, node=found),
    )


@rule(
    "add-check",
    "AT_AddConstraint",
    title="ADD CHECK without NOT VALID",
    why="The whole table is read while nobody else can read it. NOT VALID holds for new rows at once; VALIDATE reads "
    "the old ones under a lock that stops nobody.",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0);",
    safe="ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;",
    lock="add-check",
    slow=True,
)
def add_check(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a check whose rows are looked at while readers wait."""
    found = constraint(action)
    if found.get("contype") != "CONSTR_CHECK" or found.get("skip_validation"):
        return
    made, clause = _named(action, "check", ())
    table = identifier(action.table)
    yield Hit(
        _("All of {table} is read, and nobody else can read it meanwhile.", table=table),
        f"ALTER TABLE {table} {clause} NOT VALID;{NEXT_FILE}ALTER TABLE {table} VALIDATE CONSTRAINT "
        f"{identifier((made,))};",
        Subject(action.table, constraint=made, node=found),
    )


@rule(
    "add-unique",
    "AT_AddConstraint",
    title="ADD UNIQUE or PRIMARY KEY without USING INDEX",
    why="The index is built while nobody can read the table.",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE (code, amount);",
    safe="ALTER TABLE orders ADD CONSTRAINT orders_reference_key UNIQUE USING INDEX orders_reference_idx;",
    lock="add-unique",
    slow=True,
)
def add_unique(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a key whose index is built while readers wait."""
    found = constraint(action)
    if found.get("contype") not in ("CONSTR_UNIQUE", "CONSTR_PRIMARY") or "indexname" in found:
        return
    columns = strings(found.get("keys"))
    primary = found["contype"] == "CONSTR_PRIMARY"
    made = found.get("conname") or constraint_name(
        action.table, () if primary else columns, "pkey" if primary else "key"
    )
    table, name = identifier(action.table), identifier((made,))
    listed = ", ".join(identifier((column,)) for column in columns)
    yield Hit(
        _("The index is built while nobody can read {table}.", table=table),
        f"{TRANSACTION_OFF}CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({listed});"
        f"{NEXT_FILE}ALTER TABLE {table} ADD CONSTRAINT {name} {'PRIMARY KEY' if primary else 'UNIQUE'} USING INDEX "
        f"{name};",
        Subject(action.table, columns=columns, constraint=made, node=found),
    )


@rule(
    "primary-key-reads-table",
    "AT_AddConstraint",
    title="ADD PRIMARY KEY USING INDEX on a column that may be NULL",
    why="A primary key makes its columns NOT NULL: for a column that isn't yet, the whole table is read while nobody "
    "else can read it.",
    bad="ALTER TABLE keyless ADD CONSTRAINT keyless_pkey PRIMARY KEY USING INDEX keyless_a_idx;",
    safe="ALTER TABLE keyless ADD CONSTRAINT keyless_a_given CHECK (a IS NOT NULL) NOT VALID;",
    lock="primary-key-using-index-nullable",
    slow=True,
    needs_database=True,
)
def primary_key_reads_table(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a primary key over an index, for the catalog to say whether its columns may be NULL."""
    found = constraint(action)
    if found.get("contype") == "CONSTR_PRIMARY" and "indexname" in found:
        yield Hit(
            _(
                "All of {table} is read for NULLs, and nobody else can read it meanwhile.",
                table=identifier(action.table),
            ),
            subject=Subject(action.table, index=(*action.table[:-1], found["indexname"])),
        )


@rule(
    "add-exclusion",
    "AT_AddConstraint",
    title="ADD EXCLUDE",
    why="The index is built while nobody can read the table, and no other way exists: neither CONCURRENTLY nor NOT "
    "VALID.",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_code_excl EXCLUDE (code WITH =);",
    safe="-- sqlmigrations: allow add-exclusion: in the window on Sunday, some hundred rows\n"
    "ALTER TABLE orders ADD CONSTRAINT orders_code_excl EXCLUDE (code WITH =);",
    lock="add-exclusion",
    slow=True,
)
def add_exclusion(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find an exclusion constraint on a table with rows."""
    found = constraint(action)
    if found.get("contype") == "CONSTR_EXCLUSION":
        table = identifier(action.table)
        yield Hit(
            _("The index is built while nobody can read {table}.", table=table),
            f"-- sqlmigrations: allow add-exclusion: few rows, or a time when nobody is there\n"
            f"ALTER TABLE {table} {action.clause};",
            Subject(action.table, constraint=found.get("conname", ""), node=found),
        )


@rule(
    "validate-under-lock",
    "AT_ValidateConstraint",
    title="VALIDATE CONSTRAINT while a stronger lock is held",
    why="VALIDATE stops nobody, but the lock of the statement that added the constraint is held until the file ends, "
    "and so through the whole reading.",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID;\n"
    "ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check;",
    safe="ALTER TABLE orders VALIDATE CONSTRAINT orders_code_nv;",
    slow=True,
)
def validate_under_lock(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a validation under a lock that the file took before."""
    held = scope.file.held.get(action.table)
    if held is not None and scope.in_transaction:
        mode, line = held
        table = identifier(action.table)
        yield Hit(
            _(
                "All of {table} is read while the {mode} lock of line {line} is held on it.",
                table=table,
                mode=mode,
                line=line,
            ),
            f"-- In a file of its own:\nALTER TABLE {table} {action.clause};",
            Subject(action.table, constraint=action.node.get("name", "")),
        )


@rule(
    "drop-foreign-key",
    "AT_DropConstraint",
    title="DROP CONSTRAINT of a foreign key",
    why="It locks the other table as well: nobody can read either of the two while it waits for its locks.",
    bad="ALTER TABLE refers DROP CONSTRAINT refers_order_fkey;",
    safe="-- sqlmigrations: lock_timeout 1s\n-- sqlmigrations: allow drop-foreign-key: gives up after a second, tries "
    "again\n"
    "ALTER TABLE refers DROP CONSTRAINT refers_order_fkey;",
    severity=Severity.INFO,
    lock="drop-foreign-key",
    needs_database=True,
)
def drop_foreign_key(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a constraint that goes, for the catalog to say whether it is a foreign key, and to where."""
    yield Hit(
        _("If it is a foreign key, the table that it points to is locked as well."),
        subject=Subject(action.table, constraint=action.node.get("name", "")),
    )


@rule(
    "alter-domain-constraint",
    "AlterDomainStmt",
    title="ALTER DOMAIN ... ADD CONSTRAINT without NOT VALID",
    why="Every table with a column of the domain is read, one after the other, and none of them can be written to "
    "meanwhile.",
    bad="ALTER DOMAIN money_d ADD CONSTRAINT money_d_check CHECK (VALUE >= 0);",
    safe="ALTER DOMAIN money_d ADD CONSTRAINT money_d_check CHECK (VALUE >= 0) NOT VALID;",
    lock="alter-domain-constraint",
    slow=True,
)
def alter_domain_constraint(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a domain whose values are all looked at."""
    found = action.node.get("def", {}).get("Constraint", {})
    if (
        action.node.get("subtype") == "C"
        and found.get("contype") == "CONSTR_CHECK"
        and not found.get("skip_validation")
    ):
        domain = strings(action.node["typeName"])
        validate = (
            f"ALTER DOMAIN {identifier(domain)} VALIDATE CONSTRAINT {identifier((found.get('conname') or 'NAME',))};"
        )
        yield Hit(
            _(
                "Every table with a column of {domain} is read, and none can be written to meanwhile.",
                domain=identifier(domain),
            ),
            f"{action.text} NOT VALID;{NEXT_FILE}{validate}",
            Subject(domain, constraint=found.get("conname", "")),
        )


@rule(
    "foreign-key-without-index",
    "AT_AddConstraint",
    title="A foreign key without an index on its columns",
    why="Each DELETE on the table that it points to, and each UPDATE of the key, reads this whole table.",
    bad="ALTER TABLE refers ADD CONSTRAINT refers_item_fkey FOREIGN KEY (item) REFERENCES items (id) NOT VALID;",
    safe="CREATE INDEX refers_item_idx ON refers (item);\n"
    "ALTER TABLE refers ADD CONSTRAINT refers_item_fkey FOREIGN KEY (item) REFERENCES items (id) NOT VALID;",
    needs_database=True,
)
def foreign_key_without_index(action: Action, _scope: Scope) -> Iterator[Hit]:
    """Find a foreign key, for the catalog to say whether an index begins with its columns."""
    found = constraint(action)
    if found.get("contype") == "CONSTR_FOREIGN":
        columns = strings(found.get("fk_attrs"))
        listed = ", ".join(identifier((column,)) for column in columns)
        table = identifier(action.table)
        yield Hit(
            _(
                "No index of {table} begins with ({listed}): a DELETE on {other} reads all of it.",
                table=table,
                listed=listed,
                other=identifier(relation(found["pktable"])),
            ),
            f"{TRANSACTION_OFF}CREATE INDEX CONCURRENTLY ON {table} ({listed});",
            Subject(action.table, relation(found["pktable"]), columns=columns),
        )


@rule(
    "alter-after-write",
    "AlterTableStmt",
    title="ALTER TABLE after a change of its rows, under deferred constraints",
    why="Deferred constraints, which all foreign keys of Django are, leave checks waiting; PostgreSQL refuses to "
    "alter a table that has some.",
    severity=Severity.ERROR,
    bad="UPDATE deferring SET parent = 2 WHERE id = 1;\nALTER TABLE deferring ADD COLUMN note text;",
    safe="UPDATE deferring SET parent = 2 WHERE id = 1;\nSET CONSTRAINTS ALL IMMEDIATE;\n"
    "ALTER TABLE deferring ADD COLUMN note text;",
    needs_database=True,
)
def alter_after_write(action: Action, scope: Scope) -> Iterator[Hit]:
    """Find a table that is changed and then altered, for the catalog to say whether a check may wait."""
    table = relation(action.node["relation"])
    line = scope.file.written.get(table)
    if line is not None and scope.in_transaction:
        yield Hit(
            _(
                "Line {line} changed rows of {table}: deferred constraints wait for their check, and ALTER is refused.",
                line=line,
                table=identifier(table),
            ),
            f"SET CONSTRAINTS ALL IMMEDIATE;\n{action.text};",
            Subject(table),
        )
