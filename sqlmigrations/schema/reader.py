"""What the reader of the catalog reads, so that another one's catalogs can be told from its own.

An installation that is upgraded has versions of its schema that an earlier reader made. What that one did not read, or
worded otherwise, is no drift: it is taken over from what is read today, and compared from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: A kind and one of its attributes; an empty attribute means the whole kind.
Part = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reader:
    """A version of the reader, and the parts that came in, or came to be worded otherwise, after the first one."""

    version: int = 1
    since: Mapping[Part, int] = field(default_factory=dict)

    def unlike(self, other: Reader) -> frozenset[Part]:
        """Return the parts that one of two readers does not read, or words otherwise than the other."""
        older = min(self.version, other.version)
        return frozenset(part for part, version in {**self.since, **other.since}.items() if version > older)


#: The reader that this version of the package has. Whoever changes what a query of ``schema/sql/catalog`` reads raises
#: the version and adds the part: ``Reader(2, {("column", "compression"): 2})``.
CURRENT = Reader(2, {("column", "options"): 2})
