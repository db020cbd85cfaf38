"""How large tables are: asked of those alone where it matters, since the server has to open each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmigrations.health.base import Probe

#: A table that has no partitions has no partition tree either.
_SIZES = """
SELECT
    t.relation,
    coalesce(
        (SELECT pg_catalog.sum(pg_catalog.pg_table_size(p.relid)) FROM pg_catalog.pg_partition_tree(t.relation) AS p),
        pg_catalog.pg_table_size(t.relation)
    )::pg_catalog.int8 AS bytes
FROM pg_catalog.unnest(%(relations)s::pg_catalog.oid[]) AS t (relation)
"""


def table_sizes(probe: Probe, relations: Sequence[int]) -> dict[int, int]:
    """Return the bytes of tables by oid, TOAST and partitions included; none for one that was dropped meanwhile."""
    rows = probe.fetch(_SIZES, {"relations": list(relations)}) if relations else []
    return {row["relation"]: row["bytes"] or 0 for row in rows}
