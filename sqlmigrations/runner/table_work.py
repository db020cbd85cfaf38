"""What a statement did to existing tables, in the server's own words.

At ``client_min_messages = debug1`` PostgreSQL says when it rewrites a table, reads one whole to check a constraint,
builds an index, and when it found a proof that spares the reading. These messages are never translated. Their source is
``ATRewriteTable``, ``NotNullImpliedByRelConstraints``, ``ConstraintImpliedByRelConstraint`` and
``validateForeignKeyConstraint`` in the server's tablecmds.c, and ``index_build`` in index.c; they are the same in 14 to
18.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class WorkKind(StrEnum):
    """What the server did."""

    REWRITE = "rewrite"
    SCAN = "scan"
    INDEX = "index"
    FOREIGN_KEY = "foreign_key"
    PROOF = "proof"

    @property
    def is_slow(self) -> bool:
        """Whether it takes the longer the larger the table is."""
        return self is not WorkKind.PROOF


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work; ``relation`` is the table's bare name, empty where the server names a constraint alone."""

    kind: WorkKind
    relation: str
    message: str


_PATTERNS = (
    (WorkKind.REWRITE, re.compile(r'^rewriting table "(?P<relation>.+)"$')),
    (WorkKind.SCAN, re.compile(r'^verifying table "(?P<relation>.+)"$')),
    (WorkKind.INDEX, re.compile(r'^building index ".+" on table "(?P<relation>.+)" (?:serially|with request for .*)$')),
    (WorkKind.FOREIGN_KEY, re.compile(r'^validating foreign key constraint ".+"$')),
    (WorkKind.PROOF, re.compile(r'^existing constraints on column "(?P<relation>.+)\.[^.]+" are sufficient')),
    (WorkKind.PROOF, re.compile(r'^(?:updated )?partition constraint for .*"(?P<relation>.+)" is implied by')),
)


def read(message: str) -> Work | None:
    """Return the work that a message of the server tells of; nothing for other messages."""
    for kind, pattern in _PATTERNS:
        if match := pattern.match(message):
            relation = match.groupdict().get("relation") or ""
            return None if relation.startswith("pg_toast") else Work(kind, relation, message)
    return None
