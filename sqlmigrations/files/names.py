"""Names of database objects as text, and which of them can mean the same object.

A name is ``users`` or ``public.users``, quoted as SQL would only where a part holds something odd. ``app.*`` stands
for all that is in a schema, ``st_*`` for all names that begin so. What lies in no schema has its kind in front:
``role app``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from sqlmigrations.files.tokens import code

_odd = re.compile(r"[.\"* ]")


def name(*parts: str) -> str:
    """Write a name from its parts: a schema, if it is known, and the object's own name."""
    return ".".join([quote(part) for part in parts])


def quote(part: str) -> str:
    """Quote one part of a name if it holds something odd."""
    return '"' + part.replace('"', '""') + '"' if _odd.search(part) else part


def everything_in(schema: str) -> str:
    """Write the name that stands for all that is in a schema, and for the schema itself."""
    return quote(schema) + ".*"


def beyond_schemas(kind: str, part: str) -> str:
    """Write the name of an object that lies in no schema, such as a role."""
    return f"{kind} {quote(part)}"


def path(text: str) -> tuple[str, ...]:
    """Read a name as SQL does, folded to lower case where it is not quoted: ``App.Users`` is ``("app", "users")``."""
    parts: list[str] = []
    for index, token in enumerate(code(text.encode())):
        if index % 2 == 0 and token.identifier:
            parts.append(token.identifier)
        elif token.text != b".":
            break
    return tuple(parts)


@functools.lru_cache(maxsize=8192)
def _parts(written: str) -> tuple[str, str]:
    """Return the schema of a name, empty when it is not known, and the rest."""
    quoted = False
    for index in range(len(written) - 1, 0, -1):
        if written[index] == '"':
            quoted = not quoted
        elif written[index] == "." and not quoted:
            return written[:index], written[index + 1 :]
    return "", written


def unqualified(written: str) -> str:
    """Return a name without its schema."""
    return _parts(written)[1]


class Names:
    """Names that others are compared with.

    A name without its schema can be in any; what lies in no schema is only the same as itself.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        self._patterns = [name for name in self._exact if name.endswith("*")]
        self._schemas: dict[str, set[str]] = {}
        for name in self._exact:
            schema, rest = _parts(name)
            self._schemas.setdefault(rest, set()).add(schema)

    def can_mean(self, own: str) -> bool:
        """Tell whether one of them can mean the same object as another name."""
        schema, rest = _parts(own)
        schemas = self._schemas.get(rest, ())
        if own in self._exact or "" in schemas or (schemas and not schema):
            return True
        if own.endswith("*") and any(_covers(own, name) for name in self._exact):
            return True
        return any(_covers(pattern, own) for pattern in self._patterns)


def same(changed: Iterable[str], named: Iterable[str]) -> str | None:
    """Return the first changed name, in their order, that can mean the same object as one of the others."""
    names = Names(named)
    return next(filter(names.can_mean, sorted(changed)), None)


def _covers(pattern: str, other: str) -> bool:
    """Say whether a name that ends with ``*`` stands for the other one, too."""
    schema, rest = _parts(pattern)
    other_schema, other_rest = _parts(other)
    if " " in other and '"' not in other:
        return False
    if schema and other_schema and schema != other_schema:
        return False
    return other_rest.startswith(rest[:-1]) or (other_rest.endswith("*") and rest.startswith(other_rest[:-1]))
