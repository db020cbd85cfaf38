-- Indexes, and those that queries don't use because their building failed or is not finished. A partitioned index
-- made ON ONLY its table is invalid until every partition has one attached. Those of a table that indexes are being
-- built on are told apart: by the lock of who builds, since what he builds is hidden from other roles, and a REINDEX
-- tells of one at a time. All that are well are told together, by their number.
WITH building AS (
    SELECT l.relation
    FROM pg_catalog.pg_stat_progress_create_index AS p
    JOIN pg_catalog.pg_locks AS l ON l.pid = p.pid
    JOIN pg_catalog.pg_database AS d ON d.oid = l.database
    WHERE d.datname = pg_catalog.current_database()
        AND l.locktype = 'relation'
        AND l.mode = 'ShareUpdateExclusiveLock'
        AND l.granted
),
own AS MATERIALIZED (
    SELECT
        i.indexrelid, i.indrelid, i.indisready, n.nspname, c.relname, c.relkind,
        i.indisvalid AND i.indisready AND i.indislive AS is_valid
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_(catalog|temp)'
        AND n.nspname <> 'information_schema'
        AND c.oid >= 16384 -- TOAST tables of the catalogs have smaller ones
        AND i.indrelid NOT IN (
            SELECT d.objid FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        )
)
SELECT
    own.nspname::pg_catalog.text AS schema,
    t.relname::pg_catalog.text AS "table",
    own.relname::pg_catalog.text AS name,
    own.relkind = 'I' AS is_partitioned,
    own.is_valid,
    own.indisready AS costs_writes,
    own.indrelid IN (SELECT building.relation FROM building) AS is_in_progress,
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = own.indexrelid AND k.contype IN ('p', 'u', 'x')
    ) AS backs_constraint,
    ARRAY(
        SELECT p.relid::pg_catalog.regclass::pg_catalog.text
        FROM pg_catalog.pg_partition_tree(own.indrelid) AS p
        WHERE own.relkind = 'I'
            AND p.isleaf
            AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_partition_tree(own.indexrelid) AS x
                JOIN pg_catalog.pg_index AS y ON y.indexrelid = x.relid
                WHERE y.indrelid = p.relid AND y.indisvalid
            )
        ORDER BY 1
    ) AS missing,
    1::pg_catalog.int8 AS things
FROM own
JOIN pg_catalog.pg_class AS t ON t.oid = own.indrelid
WHERE NOT own.is_valid
UNION ALL
SELECT '', '', '', false, true, false, false, false, '{}', pg_catalog.count(*)
FROM own
WHERE own.is_valid
ORDER BY 1, 2, 3;
