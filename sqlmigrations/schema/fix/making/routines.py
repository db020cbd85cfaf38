"""Makes functions, procedures and aggregates."""

from __future__ import annotations

from sqlmigrations.schema.catalog import Attributes, Catalog, Identity
from sqlmigrations.schema.fix.statements import Statements, literal


def make_function(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the definition that the catalog has of a function or a procedure."""
    yield str(attributes["definition"]).rstrip()


def make_aggregate(identity: Identity, attributes: Attributes, catalog: Catalog, in_use: bool) -> Statements:
    """Yield the statement that makes an aggregate."""
    yield aggregate_definition(identity, attributes)


#: The parts of an aggregate: how CREATE AGGREGATE calls them, and whether they are constants.
_AGGREGATE = {
    "state_function": "SFUNC",
    "state_type": "STYPE",
    "state_size": "SSPACE",
    "final_function": "FINALFUNC",
    "combine_function": "COMBINEFUNC",
    "serial_function": "SERIALFUNC",
    "deserial_function": "DESERIALFUNC",
    "initial_state": "INITCOND",
    "moving_state_function": "MSFUNC",
    "moving_inverse_function": "MINVFUNC",
    "moving_state_type": "MSTYPE",
    "moving_state_size": "MSSPACE",
    "moving_final_function": "MFINALFUNC",
    "moving_initial_state": "MINITCOND",
}

_FINAL_MODIFY = {"r": "READ_ONLY", "s": "SHAREABLE", "w": "READ_WRITE"}


def aggregate_definition(identity: Identity, attributes: Attributes) -> str:
    """Write an aggregate, of which PostgreSQL deparses no definition."""
    parts = []
    for key, word in _AGGREGATE.items():
        if key in attributes:
            value = str(attributes[key])
            value = value.partition("(")[0] if key.endswith("_function") else value
            parts.append(f"{word} = {literal(value) if key.endswith('initial_state') else value}")
    if attributes.get("final_extra"):
        parts.append("FINALFUNC_EXTRA")
    if "final_function" in attributes:
        parts.append(f"FINALFUNC_MODIFY = {_FINAL_MODIFY[str(attributes['final_modify'])]}")
    if "sort_operator" in attributes:
        parts.append(f"SORTOP = OPERATOR({str(attributes['sort_operator']).partition('(')[0]})")
    if attributes.get("type") == "hypothetical-set":
        parts.append("HYPOTHETICAL")
    parts.append(f"PARALLEL = {str(attributes['parallel']).upper()}")
    name = identity.name.partition("(")[0]
    return f"CREATE OR REPLACE AGGREGATE {name}({attributes['arguments'] or '*'}) ({', '.join(parts)})"
