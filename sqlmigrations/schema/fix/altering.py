"""Alters objects: from an attribute that the catalog has to the one that it should have."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity, Value
from sqlmigrations.schema.fix import making
from sqlmigrations.schema.fix.statements import (
    Statement,
    Statements,
    comment_on,
    container,
    last_part,
    literal,
    name_of,
    owner_to,
    set_grants,
    set_options,
    set_server_options,
    state_of,
    suffixed,
    target,
    values,
    word_of,
)


@dataclass(frozen=True, slots=True)
class Alteration:
    """One attribute of one object, as it should be and as it is; ``identity`` is what the object is called now."""

    identity: Identity
    attribute: str
    wanted: Attributes
    present: Attributes
    expected: Catalog
    found: Catalog
    #: What the object should be called.
    proper: Identity

    @property
    def name(self) -> str:
        """The object's present name."""
        return self.identity.name

    @property
    def value(self) -> Value | None:
        """What the attribute should be."""
        return self.wanted.get(self.attribute)

    @property
    def before(self) -> Value | None:
        """What the attribute is."""
        return self.present.get(self.attribute)

    @property
    def table(self) -> str:
        """The table that the object belongs to."""
        return str(self.present.get("table") or self.wanted.get("table") or "")


def alter(change: Alteration) -> Statements:
    """Yield the statements that bring the attribute to what it should be; none where no statement can."""
    identity = change.identity
    match change.attribute:
        case "owner" if change.value is not None:
            yield owner_to(identity, change.value)
        case "comment":
            yield comment_on(identity, change.value, table=change.table)
        case "grants":
            yield from set_grants(identity, values(change.value), values(change.before))
        case "name":
            yield from _rename(change)
        case _:
            yield from _BY_KIND[identity.kind](change)


def _rename(change: Alteration) -> Statements:
    present, wanted = change.identity, change.proper
    kind, new = present.kind, last_part(wanted.name).partition("(")[0]
    if kind == "column":
        yield f"ALTER TABLE {container(present.name)} RENAME COLUMN {last_part(present.name)} TO {new}"
        return
    if kind in ("constraint", "trigger", "policy", "rule"):
        table = change.table
        if kind == "constraint":
            yield f"ALTER TABLE {table} RENAME CONSTRAINT {last_part(present.name)} TO {new}"
        else:
            yield f"ALTER {kind.upper()} {last_part(present.name)} ON {table} RENAME TO {new}"
        return
    before, after = container(present.name.partition("(")[0]), container(wanted.name.partition("(")[0])
    if last_part(present.name) != last_part(wanted.name):
        yield f"ALTER {target(present)} RENAME TO {new}"
    if before != after:
        moved = f"{before}.{last_part(wanted.name)}"
        yield f"ALTER {word_of(kind)} {moved} SET SCHEMA {after}"


def rebuild(change: Alteration) -> Statements:
    """Yield the statements that drop an object and make it as it should be."""
    yield making.drop(change.identity, change.present)
    yield from making.make(change.proper, change.expected, change.found)


# Tables


def _table(change: Alteration) -> Statements:
    alter = f"ALTER {word_of(change.identity.kind)} {change.name}"
    value, before = change.value, change.before
    match change.attribute:
        case "options":
            yield from set_options(alter, value, before)
        case "persistence":
            yield f"{alter} SET {'UNLOGGED' if value == 'unlogged' else 'LOGGED'}"
        case "row_security":
            yield f"{alter} {'ENABLE' if value else 'DISABLE'} ROW LEVEL SECURITY"
        case "force_row_security":
            yield f"{alter} {'FORCE' if value else 'NO FORCE'} ROW LEVEL SECURITY"
        case "replica_identity":
            yield f"{alter} {making.replica_identity(value)}"
        case "inherits":
            yield from (f"{alter} NO INHERIT {parent}" for parent in values(before) if parent not in values(value))
            yield from (f"{alter} INHERIT {parent}" for parent in values(value) if parent not in values(before))
        case "partition_of" | "partition_bound":
            if "partition_of" in change.present:
                yield f"ALTER TABLE {change.present['partition_of']} DETACH PARTITION {change.name}"
            if "partition_of" in change.wanted:
                bound = change.wanted["partition_bound"]
                yield f"ALTER TABLE {change.wanted['partition_of']} ATTACH PARTITION {change.name} {bound}"
        case "access_method":
            yield f"{alter} SET ACCESS METHOD {name_of(str(value or 'heap'))}"
        case "tablespace":
            yield f"{alter} SET TABLESPACE {name_of(str(value or 'pg_default'))}"
        case "of_type":
            yield f"{alter} OF {value}" if value is not None else f"{alter} NOT OF"
        case "server_options":
            yield from set_server_options(alter, value, before)
        case "partition_key" | "server" if not change.identity.kind.startswith("foreign"):
            return
        case "server":
            yield making.drop(change.identity, change.present)
            yield from making.make(change.proper, change.expected, change.found)


def _view(change: Alteration) -> Statements:
    if change.attribute == "options":
        yield from set_options(f"ALTER {word_of(change.identity.kind)} {change.name}", change.value, change.before)
    elif change.attribute == "populated":
        without = " WITH NO DATA" if change.value is False else ""
        yield f"REFRESH MATERIALIZED VIEW {change.name}{without}"
    elif change.attribute in ("access_method", "tablespace"):
        yield from _table(change)
    elif change.attribute == "definition":
        yield from with_views_aside(change.name, change.found, rebuild(change))


def with_views_aside(relation: str, catalog: Catalog, statements: Statements, *, column: str = "") -> Statements:
    """Yield ``statements`` between dropping the views that read a relation and making them again as they were.

    With a ``column``, only those views that read it, and the views over them.
    """
    views = views_over(relation, catalog, column)
    for view in reversed(views):
        yield making.drop(view, catalog.objects[view])
    yield from statements
    for view in views:
        yield from making.make(view, catalog, catalog, in_use=False)


def views_over(relation: str, catalog: Catalog, column: str = "") -> list[Identity]:
    """Return the views that read a relation, directly or through other views, each behind those that it reads."""
    views = {
        identity: str(attributes["definition"])
        for identity, attributes in catalog.objects.items()
        if identity.kind in ("view", "materialized view") and identity.name != relation
    }
    found = [view for view, text in views.items() if making.mentions(text, relation)]
    if column:
        found = [view for view in found if making.names_part(views[view], column)]
    for below in found:  # grows while it is walked along
        found += [view for view, text in views.items() if view not in found and making.mentions(text, below.name)]
    return making.ordered(found, catalog)


# Columns


def _column(change: Alteration) -> Statements:
    is_foreign = Identity("foreign table", change.table) in change.found.objects
    alter = f"ALTER {'FOREIGN ' if is_foreign else ''}TABLE {change.table} ALTER COLUMN {last_part(change.name)}"
    value, before = change.value, change.before
    match change.attribute:
        case "type" | "collation":
            column = last_part(change.name)
            yield from with_views_aside(change.table, change.found, _type(change, alter), column=column)
        case "not_null" if value and not is_foreign:
            yield from _not_null(change, alter)
        case "not_null":
            yield f"{alter} {'SET' if value else 'DROP'} NOT NULL"
        case "not_null_validated" if value is None:
            yield f"{alter} SET NOT NULL"
        case "default":
            yield f"{alter} SET DEFAULT {value}" if value is not None else f"{alter} DROP DEFAULT"
        case "generated":
            yield from _generated(change, alter)
        case "identity":
            yield from _identity(change, alter)
        case "identity_sequence":
            steps = [step for step in values(value) if step not in values(before)]
            yield f"{alter} {' '.join(f'SET {step}' for step in steps)}"
        case "storage":
            yield f"{alter} SET STORAGE {str(value or _usual_storage(str(change.wanted['type']))).upper()}"
        case "compression":
            yield f"{alter} SET COMPRESSION {value or 'default'}"
        case "statistics_target":
            yield f"{alter} SET STATISTICS {-1 if value is None else value}"
        case "options":
            yield from set_options(alter, value, before)
        case "server_options":
            yield from set_server_options(alter, value, before)


def _type(change: Alteration, alter: str) -> Statements:
    type, present = str(change.wanted["type"]), str(change.present["type"])
    collation = f" COLLATE {change.wanted['collation']}" if "collation" in change.wanted else ""
    using = "" if type == present or _family(type) == _family(present) else f" USING {last_part(change.name)}::{type}"
    has_default = "default" in change.present and type != present
    if has_default:
        yield f"{alter} DROP DEFAULT"
    yield Statement(f"{alter} TYPE {type}{collation}{using}", destructive=_loses(present, type))
    if has_default and "default" in change.wanted:
        yield f"{alter} SET DEFAULT {change.wanted['default']}"


_INTEGERS = ("smallint", "integer", "bigint")
_TYPE = re.compile(r"^([^(]+)(?:\((\d+)(?:,(-?\d+))?\))?(.*)$")


def _family(type: str) -> str:
    """Return what types have in common between which every value is kept or refused."""
    match = _TYPE.match(type)
    base = f"{match[1]}{match[4]}" if match else type
    if base in _INTEGERS:
        return "integer"
    return "text" if base in ("text", "character varying") else base


def _loses(present: str, wanted: str) -> bool:
    """Tell whether a change of type may change values without a word: rounding, cutting off, padding."""
    if _family(present) != _family(wanted):
        return not (_family(present) == "integer" and wanted in ("numeric", "text"))
    before, after = (match[3] if (match := _TYPE.match(type)) else None for type in (present, wanted))
    if _family(present) in ("numeric", "numeric[]"):
        return after is not None and (before is None or int(before) > int(after))
    return _family(present).startswith(("timestamp", "time", "interval", "bit", "character"))


def _usual_storage(type: str) -> str:
    """Return how values of a type are stored unless told otherwise."""
    if _family(type) in ("numeric", "inet", "cidr"):
        return "main"
    fixed = ("integer", "boolean", "date", "uuid", "oid", "real", "double precision", "money", '"char"', "name")
    is_fixed = _family(type) in fixed or _family(type).startswith(("timestamp", "time", "interval", "macaddr"))
    return "plain" if is_fixed else "extended"


def _not_null(change: Alteration, alter: str) -> Statements:
    """Yield the statements that look for NULLs without locking out those who write."""
    column = last_part(change.name)
    check = suffixed(column, "_sqlm_not_null")
    yield f"ALTER TABLE {change.table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID"
    yield f"ALTER TABLE {change.table} VALIDATE CONSTRAINT {check}"
    yield f"{alter} SET NOT NULL"
    yield f"ALTER TABLE {change.table} DROP CONSTRAINT {check}"


def _generated(change: Alteration, alter: str) -> Statements:
    value, before = str(change.value or ""), str(change.before or "")
    if not value and before.endswith(" STORED"):
        yield f"{alter} DROP EXPRESSION"
    elif value and before and value.rpartition(" ")[2] == before.rpartition(" ")[2]:
        yield f"{alter} SET EXPRESSION AS ({value.rpartition(' ')[0]})"
    else:  # what was computed is computed again; what was typed in would be lost
        dropped = making.drop(change.identity, change.present)
        anew = [Statement(dropped.sql, destructive=not before), *_made(change)]
        yield from with_views_aside(change.table, change.found, iter(anew), column=last_part(change.name))


def _identity(change: Alteration, alter: str) -> Statements:
    value, before = change.value, change.before
    column, table = last_part(change.name), change.table
    if value is None:
        yield f"{alter} DROP IDENTITY"
    elif before is not None:
        yield f"{alter} SET GENERATED {value}"
    else:
        if "default" in change.present:
            yield f"{alter} DROP DEFAULT"
        if not change.present.get("not_null"):
            yield f"{alter} SET NOT NULL"
        options = " ".join(values(change.wanted.get("identity_sequence")))
        yield f"{alter} ADD GENERATED {value} AS IDENTITY" + (f" ({options})" if options else "")
        sequence = f"pg_catalog.pg_get_serial_sequence({literal(table)}, {literal(_unquoted(column))})"
        highest = f"pg_catalog.max({column})"
        yield _CATCH_UP.format(sequence=sequence, highest=highest, table=table)


#: Lets a new sequence go on behind the numbers that the column holds.
_CATCH_UP = "SELECT pg_catalog.setval({sequence}, {highest}) FROM {table} HAVING {highest} IS NOT NULL"


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


# What belongs to a table


def _constraint(change: Alteration) -> Statements:
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
    made = [one if isinstance(one, Statement) else Statement(one) for one in _made(change)]
    built = [one for one in made if one.alone]
    if not built:
        yield f"ALTER TABLE {change.table} DROP CONSTRAINT {name}"
        yield from made
        return
    passing = suffixed(name, "_new")
    yield from (Statement(one.sql.replace(f" {name} ON ", f" {passing} ON ", 1), alone=True) for one in built)
    yield f"ALTER TABLE {change.table} DROP CONSTRAINT {name}"
    yield from (_using(one, name, passing) for one in made if not one.alone)


def _made(change: Alteration) -> Statements:
    return making.make(change.proper, change.expected, change.found)


def _using(statement: Statement, name: str, passing: str) -> Statement:
    """Return the statement with the index under its passing name: ADD CONSTRAINT gives it its own."""
    return Statement(statement.sql.replace(f"USING INDEX {name}", f"USING INDEX {passing}", 1))


def _index(change: Alteration) -> Statements:
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
            yield making.index_definition(change.wanted, in_use=True, name=passing)
            yield making.drop(change.identity, change.present)
            yield f"ALTER INDEX {schema}.{passing} RENAME TO {last_part(change.proper.name)}"
            yield from making.index_settings(change.proper.name, change.wanted)
            if "comment" in change.wanted:
                yield comment_on(change.proper, change.wanted["comment"])


def _trigger(change: Alteration) -> Statements:
    if change.attribute == "state":
        yield state_of(change.table, change.identity.kind, last_part(change.name), change.value)
    else:
        yield from rebuild(change)


def _statistics(change: Alteration) -> Statements:
    if change.attribute == "target":
        yield f"ALTER STATISTICS {change.name} SET STATISTICS {-1 if change.value is None else change.value}"
    else:
        yield from rebuild(change)


# What lies in a schema

_SEQUENCE = {"increment": "INCREMENT BY", "minimum": "MINVALUE", "maximum": "MAXVALUE", "start": "START WITH"}


def _sequence(change: Alteration) -> Statements:
    alter = f"ALTER SEQUENCE {change.name}"
    match change.attribute:
        case "type":
            bounds = " ".join(f"{word} {change.wanted[key]}" for key, word in _SEQUENCE.items() if key != "increment")
            yield f"{alter} AS {change.value} {bounds}"
        case "cache":
            yield f"{alter} CACHE {change.value}"
        case "cycle":
            yield f"{alter} {'CYCLE' if change.value else 'NO CYCLE'}"
        case "owned_by":
            yield f"{alter} OWNED BY {change.value or 'NONE'}"
        case "persistence":
            yield f"{alter} SET {'UNLOGGED' if change.value == 'unlogged' else 'LOGGED'}"
        case attribute:
            yield f"{alter} {_SEQUENCE[attribute]} {change.value}"


def _function(change: Alteration) -> Statements:
    if change.attribute in ("arguments", "returns"):  # REPLACE can't change these
        yield from rebuild(change)
    elif change.identity.kind == "aggregate":
        yield making.aggregate_definition(change.proper, change.wanted)
    else:
        yield str(change.wanted["definition"]).rstrip()


def _enum(change: Alteration) -> Statements:
    want, have = values(change.value), values(change.before)
    renamed = [(old, new) for old, new in zip(have, want, strict=False) if old != new]
    if len(want) == len(have) and not {new for _, new in renamed} & {*have}:
        yield from (f"ALTER TYPE {change.name} RENAME VALUE {literal(old)} TO {literal(new)}" for old, new in renamed)
    elif [label for label in want if label in have] == list(have):
        for place, label in enumerate(want):
            if label not in have:
                where = f" AFTER {literal(want[place - 1])}" if place else f" BEFORE {literal(have[0])}" if have else ""
                yield f"ALTER TYPE {change.name} ADD VALUE {literal(label)}{where}"
    else:
        yield from _enum_anew(change)


def _enum_anew(change: Alteration) -> Statements:
    """Yield the statements that make an enum again and move its columns over; a label in use makes them fail."""
    name = change.name
    passing = suffixed(last_part(name), "_old")
    yield f"ALTER TYPE {name} RENAME TO {passing}"
    yield from making.make(change.proper, change.expected, change.found)
    for column, attributes in change.found.objects.items():
        if column.kind == "column" and attributes.get("type") == name and "table" in attributes:
            alter = f"ALTER TABLE {attributes['table']} ALTER COLUMN {last_part(column.name)}"
            if "default" in attributes:
                yield f"{alter} DROP DEFAULT"
            yield f"{alter} TYPE {name} USING {last_part(column.name)}::text::{name}"
            if "default" in attributes:
                yield f"{alter} SET DEFAULT {attributes['default']}"
    yield f"DROP TYPE {container(name)}.{passing}"


def _domain(change: Alteration) -> Statements:
    alter = f"ALTER DOMAIN {change.name}"
    match change.attribute:
        case "not_null":
            yield f"{alter} {'SET' if change.value else 'DROP'} NOT NULL"
        case "default":
            yield f"{alter} SET DEFAULT {change.value}" if change.value is not None else f"{alter} DROP DEFAULT"
        case "constraints":
            want, have = values(change.value), values(change.before)
            yield from (f"{alter} DROP CONSTRAINT {_constraint_name(one)}" for one in have if one not in want)
            for one in want:
                if one not in have:
                    yield f"{alter} ADD {one.removesuffix(' NOT VALID')} NOT VALID"
                    if not one.endswith(" NOT VALID"):
                        yield f"{alter} VALIDATE CONSTRAINT {_constraint_name(one)}"


_NAME = re.compile(r'^(?:CONSTRAINT )?("(?:[^"]|"")*"|\S+)')


def _constraint_name(definition: str) -> str:
    match = _NAME.match(definition)
    return match[1] if match else ""


def _composite(change: Alteration) -> Statements:
    alter = f"ALTER TYPE {change.name}"
    want, have = (_members(values(each)) for each in (change.value, change.before))
    for name in have:
        if name not in want:
            yield Statement(f"{alter} DROP ATTRIBUTE {name}", destructive=_in_use(change))
    for name, type in want.items():
        if name not in have:
            yield f"{alter} ADD ATTRIBUTE {name} {type}"
        elif have[name] != type:
            yield f"{alter} ALTER ATTRIBUTE {name} TYPE {type}"


def _in_use(change: Alteration) -> bool:
    """Tell whether a column is of the type."""
    types = (str(given.get("type")) for one, given in change.found.objects.items() if one.kind == "column")
    return any(type.removesuffix("[]") == change.name for type in types)


def _members(columns: tuple[str, ...]) -> dict[str, str]:
    return {name: column[len(name) + 1 :] for column in columns for name in [_constraint_name(column)]}


# What belongs to the database


def _extension(change: Alteration) -> Statements:
    if change.attribute == "version":
        yield f"ALTER EXTENSION {change.name} UPDATE TO {literal(str(change.value))}"
    else:
        yield f"ALTER EXTENSION {change.name} SET SCHEMA {change.value}"


def _publication(change: Alteration) -> Statements:
    alter = f"ALTER PUBLICATION {change.name}"
    match change.attribute:
        case "tables" | "schemas" if making.published(change.wanted):
            yield f"{alter} SET {making.published(change.wanted)}"
        case "tables" | "schemas":
            yield from (
                f"{alter} DROP TABLE {entry.partition(' ')[0]}" for entry in values(change.present.get("tables"))
            )
            yield from (f"{alter} DROP TABLES IN SCHEMA {each}" for each in values(change.present.get("schemas")))
        case "all_tables":
            yield from rebuild(change)
        case _:
            yield f"{alter} SET ({making.publication_options(change.wanted)})"


def _foreign(change: Alteration) -> Statements:
    alter = f"ALTER {word_of(change.identity.kind)} {change.name}"
    match change.attribute:
        case "options":
            yield from set_server_options(alter, change.value, change.before)
        case "version" if change.value is not None:
            yield f"{alter} VERSION {literal(str(change.value))}"
        case "handler" | "validator":
            word = change.attribute.upper()
            yield f"{alter} {word} {change.value}" if change.value is not None else f"{alter} NO {word}"
        case _:
            yield from rebuild(change)


def _event_trigger(change: Alteration) -> Statements:
    if change.attribute == "state":
        yield making.event_trigger_state(change.name, change.value)
    else:
        yield from rebuild(change)


def _nothing(change: Alteration) -> Iterator[Statement]:
    return iter(())


_BY_KIND: Mapping[str, Callable[[Alteration], Statements]] = {
    "schema": _nothing,
    "table": _table,
    "foreign table": _table,
    "view": _view,
    "materialized view": _view,
    "column": _column,
    "constraint": _constraint,
    "index": _index,
    "trigger": _trigger,
    "rule": _trigger,
    "policy": rebuild,
    "statistics": _statistics,
    "sequence": _sequence,
    "function": _function,
    "procedure": _function,
    "aggregate": _function,
    "enum": _enum,
    "domain": _domain,
    "composite type": _composite,
    "range type": rebuild,
    "extension": _extension,
    "event trigger": _event_trigger,
    "publication": _publication,
    "server": _foreign,
    "foreign data wrapper": _foreign,
    "default privileges": _nothing,
}
