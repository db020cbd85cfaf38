-- Indexes, and those that queries don't use because their building failed or is not finished. A partitioned index
-- made ON ONLY its table is invalid until every partition has one attached. Those of a table that indexes are being
-- built on are told apart: by the lock of who builds, since what he builds is hidden from other roles, and a REINDEX
-- tells of one at a time.
WITH building AS (
    SELECT l.relation
    FROM pg_catalog.pg_stat_progress_create_index AS p
    JOIN pg_catalog.pg_locks AS l ON l.pid = p.pid
    JOIN pg_catalog.pg_database AS d ON d.oid = l.database
    WHERE d.datname = pg_catalog.current_database()
        AND l.locktype = 'relation'
        AND l.mode = 'ShareUpdateExclusiveLock'
        AND l.granted
)
SELECT
    n.nspname::pg_catalog.text AS schema,
    t.relname::pg_catalog.text AS "table",
    c.relname::pg_catalog.text AS name,
    c.relkind = 'I' AS is_partitioned,
    i.indisvalid AND i.indisready AND i.indislive AS is_valid,
    i.indisready AS costs_writes,
    i.indrelid IN (SELECT building.relation FROM building) AS is_in_progress,
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    ) AS backs_constraint,
    ARRAY(
        SELECT p.relid::pg_catalog.regclass::pg_catalog.text
        FROM pg_catalog.pg_partition_tree(i.indrelid) AS p
        WHERE c.relkind = 'I'
            AND p.isleaf
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_partition_tree(c.oid) AS x
                JOIN pg_catalog.pg_index AS y ON y.indexrelid = x.relid
                WHERE y.indrelid = p.relid AND y.indisvalid
            )
        ORDER BY 1
    ) AS missing
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_(catalog|temp)'
    AND n.nspname <> 'information_schema'
    AND c.oid >= 16384 -- TOAST tables of the catalogs have smaller ones
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e'
    )
ORDER BY is_valid, 1, 2, 3;
