"""What a fix is made of: statements, and the words that SQL has for kinds, names and options.

Names and expressions come from the catalog, where PostgreSQL has qualified, quoted and deparsed them; only roles,
labels and option values are quoted here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg import sql

from sqlmigrations.schema.catalog import Attributes, Identity, Value, container, last_part


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, without its semicolon.

    ``alone`` ones can't run inside a transaction block; ``destructive`` ones drop what can't be brought back.
    """

    sql: str
    alone: bool = False
    destructive: bool = False

    @property
    def text(self) -> str:
        """The statement as it is printed: a destructive one as a comment."""
        text = f"{self.sql};"
        return "\n".join(f"-- {line}".rstrip() for line in text.splitlines()) if self.destructive else text


#: A statement that may run in a transaction and drops nothing is a plain text.
Statements = Iterator[Statement | str]


def name_of(role: str) -> str:
    """Quote a name that the catalog has as it is: a role's, a tablespace's."""
    return sql.Identifier(role).as_string(None)


def literal(text: str) -> str:
    """Write a text as a constant."""
    return sql.Literal(text).as_string(None)


def unquoted(name: str) -> str:
    """Return one part of a name without the quotes that SQL needs."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def suffixed(name: str, suffix: str) -> str:
    """Return an unqualified name with something behind it, no longer than the 63 bytes that PostgreSQL keeps."""
    room = 63 - len(suffix)
    cut = unquoted(name).encode()[:room].decode(errors="ignore") + suffix
    return cut if re.fullmatch(r"[a-z_][a-z0-9_$]*", cut) and not name.startswith('"') else name_of(cut)


#: Kinds as ALTER, DROP, COMMENT ON and GRANT ON write them, where that is not the kind in capitals.
_WORDS = {
    "enum": "TYPE",
    "composite type": "TYPE",
    "range type": "TYPE",
}


def word_of(kind: str) -> str:
    """Return the word for a kind in ALTER, DROP and COMMENT."""
    return _WORDS.get(kind, kind.upper())


#: Kinds that are named together with their table.
_ON_TABLE = frozenset({"constraint", "trigger", "rule", "policy"})


def target(identity: Identity, table: str = "") -> str:
    """Return an object as COMMENT and DROP name it: ``TRIGGER t ON users``, ``FUNCTION f(integer)``."""
    if identity.kind in _ON_TABLE:
        return f"{word_of(identity.kind)} {last_part(identity.name)} ON {table or container(identity.name)}"
    return f"{word_of(identity.kind)} {identity.name}"


def values(value: Value | None) -> tuple[str, ...]:
    """Return a list's items; none where there is no list."""
    return value if isinstance(value, tuple) else ()


def split_options(options: Iterable[str]) -> dict[str, str]:
    """Read options as the catalog has them: ``fillfactor=70``."""
    return {key: value for key, _, value in (option.partition("=") for option in options)}


def set_options(alter: str, wanted: Value | None, present: Value | None) -> Statements:
    """Yield the statements that set and reset storage options behind ``alter``."""
    want, have = split_options(values(wanted)), split_options(values(present))
    if changed := {key: value for key, value in want.items() if have.get(key) != value}:
        yield f"{alter} SET ({written_options(changed)})"
    if gone := [key for key in have if key not in want]:
        yield f"{alter} RESET ({', '.join(gone)})"


def written_options(options: dict[str, str]) -> str:
    """Write storage options as SET and WITH take them."""
    return ", ".join(f"{key} = {literal(value)}" for key, value in options.items())


def server_options(options: Value | None) -> str:
    """Write the OPTIONS of something foreign, with a blank before; nothing where there are none."""
    given = split_options(values(options))
    inner = ", ".join(f"{name_of(key)} {literal(value)}" for key, value in given.items())
    return f" OPTIONS ({inner})" if inner else ""


def set_server_options(alter: str, wanted: Value | None, present: Value | None) -> Statements:
    """Yield the statement that changes the OPTIONS of something foreign."""
    want, have = split_options(values(wanted)), split_options(values(present))
    parts = [f"DROP {name_of(key)}" for key in have if key not in want]
    for key, value in want.items():
        if have.get(key) != value:
            parts.append(f"{'SET' if key in have else 'ADD'} {name_of(key)} {literal(value)}")
    if parts:
        yield f"{alter} OPTIONS ({', '.join(parts)})"


# Privileges

_GRANT = re.compile(r"^(GRANT|REVOKE) (.+?) (?:TO|FROM) (.+?)( WITH GRANT OPTION)?$")

_GRANTED_ON = {
    "schema": "SCHEMA",
    "sequence": "SEQUENCE",
    "function": "FUNCTION",
    "procedure": "PROCEDURE",
    "aggregate": "FUNCTION",
    "enum": "TYPE",
    "domain": "TYPE",
    "composite type": "TYPE",
    "range type": "TYPE",
    "server": "FOREIGN SERVER",
    "foreign data wrapper": "FOREIGN DATA WRAPPER",
}


def set_grants(identity: Identity, wanted: Iterable[str], present: Iterable[str]) -> Statements:
    """Yield the statements that lead from the privileges ``present`` on an object to those ``wanted``."""
    want, have = list(wanted), list(present)
    undo = [_inverse(entry) for entry in have if entry not in want]
    do = [entry for entry in want if entry not in have]
    for entry in sorted({*undo, *do}, key=lambda entry: (entry.startswith("GRANT"), entry)):
        yield _granting(identity, entry)


def _inverse(entry: str) -> str:
    match = _GRANT.match(entry)
    if match is None:
        return entry
    verb, privilege, role, _option = match.groups()
    return f"REVOKE {privilege} FROM {role}" if verb == "GRANT" else f"GRANT {privilege} TO {role}"


def _granting(identity: Identity, entry: str) -> str:
    kind, name = identity
    match = _GRANT.match(entry)
    verb, privilege, role, option = match.groups("") if match else ("", "", "", "")
    direction = f"TO {role}{option}" if verb == "GRANT" else f"FROM {role}"
    if kind == "default privileges":
        scope, _, objects = name.rpartition(" ON ")
        return f"ALTER DEFAULT PRIVILEGES {scope} {verb} {privilege} ON {objects} {direction}"
    if kind == "column":
        return f"{verb} {privilege} ({last_part(name)}) ON TABLE {container(name)} {direction}"
    return f"{verb} {privilege} ON {_GRANTED_ON.get(kind, 'TABLE')} {name} {direction}"


def comment_on(identity: Identity, comment: Value | None, *, table: str = "") -> str:
    """Write the statement that sets or removes a comment."""
    text = literal(str(comment)) if comment is not None else "NULL"
    return f"COMMENT ON {target(identity, table)} IS {text}"


def owner_to(identity: Identity, owner: Value) -> str:
    """Write the statement that gives an object to a role."""
    return f"ALTER {target(identity)} OWNER TO {name_of(str(owner))}"


#: How a trigger or a rule gets into the states that it is not made in.
_STATES = {"disabled": "DISABLE", "on replicas only": "ENABLE REPLICA", "always": "ENABLE ALWAYS"}


def state_of(table: str, kind: str, name: str, state: Value | None) -> str:
    """Write the statement that enables or disables a trigger or a rule."""
    return f"ALTER TABLE {table} {_STATES.get(str(state), 'ENABLE')} {kind.upper()} {name}"


def event_trigger_state(name: str, state: Value | None) -> str:
    """Write the statement that enables or disables an event trigger."""
    return f"ALTER EVENT TRIGGER {name} {_STATES.get(str(state), 'ENABLE')}"


def is_partitioned(attributes: Attributes) -> bool:
    """Tell whether a table is partitioned."""
    return "partition_key" in attributes
