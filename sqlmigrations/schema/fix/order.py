"""Which objects belong to which, and in what order they are made: each behind those that its definition names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlmigrations.schema.catalog import RELATIONS, Attributes, Catalog, Identity

#: What belongs to a relation, in the order in which it is made.
PARTS = ("constraint", "index", "statistics", "trigger", "rule", "policy")

#: What a schema holds, in the order in which it is made where nothing says otherwise.
ORDER = (
    "schema",
    "extension",
    "enum",
    "domain",
    "composite type",
    "range type",
    "sequence",
    "foreign data wrapper",
    "server",
    "function",
    "table",
    "foreign table",
    "column",
    *PARTS,
    "view",
    "materialized view",
    "procedure",
    "aggregate",
    "event trigger",
    "publication",
    "default privileges",
)


def parts_of(relation: str, catalog: Catalog) -> Iterator[Identity]:
    """Yield what belongs to a relation, its columns aside: constraints before the foreign keys that may need them."""
    parts = [identity for identity, attributes in catalog.objects.items() if attributes.get("table") == relation]
    parts = [identity for identity in parts if identity.kind in PARTS]

    def place(identity: Identity) -> tuple[int, bool, str]:
        is_key = catalog.objects[identity].get("type") == "foreign key"
        return PARTS.index(identity.kind), is_key, identity.name

    return iter(sorted(parts, key=place))


def columns_of(relation: str, catalog: Catalog) -> list[tuple[Identity, Attributes]]:
    """Return the columns of a relation in their order."""
    found = [
        (identity, attributes)
        for identity, attributes in catalog.objects.items()
        if identity.kind == "column" and attributes["table"] == relation
    ]
    return sorted(found, key=lambda column: int(str(column[1].get("position", 0))))


def is_foreign_key(identity: Identity, catalog: Catalog) -> bool:
    """Tell whether an object is a foreign key, which may need tables that are made later."""
    return identity.kind == "constraint" and catalog.objects[identity].get("type") == "foreign key"


def ordered(identities: list[Identity], catalog: Catalog) -> list[Identity]:
    """Sort objects so that each comes behind those that its definition names."""
    texts = {identity: _text(identity, catalog) for identity in identities}
    waiting = sorted(identities, key=lambda identity: (ORDER.index(identity.kind), identity.name))
    done: list[Identity] = []
    while waiting:
        free = [
            one for one in waiting if not any(mentions(texts[one], other.name) for other in waiting if other != one)
        ]
        done += free or waiting[:1]
        waiting = [one for one in waiting if one not in done]
    return done


def _text(identity: Identity, catalog: Catalog) -> str:
    """Return all that the catalog says of an object, and of a relation's columns and constraints."""
    texts = [
        str(value) for key, value in catalog.objects[identity].items() if key != "body" or "BEGIN ATOMIC" in str(value)
    ]
    if identity.kind in RELATIONS:
        texts += [str(dict(attributes)) for _column, attributes in columns_of(identity.name, catalog)]
        parts = [part for part in parts_of(identity.name, catalog) if not is_foreign_key(part, catalog)]
        texts += [str(dict(catalog.objects[part])) for part in parts]
        texts = [text.replace(identity.name, "") for text in texts]
    return "\n".join(texts)


def mentions(text: str, name: str) -> bool:
    """Tell whether a text names an object."""
    plain = name.partition("(")[0]
    return plain in text and re.search(rf'(?<![\w".]){re.escape(plain)}(?![\w"])', text) is not None


def names_part(text: str, part: str) -> bool:
    """Tell whether a text has a name in it, qualified or not."""
    return re.search(rf'(?<![\w"]){re.escape(part)}(?![\w"])', text) is not None
