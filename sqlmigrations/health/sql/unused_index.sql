-- Indexes, how often each was scanned since the counters began, and what each is for besides scans. Those of partitions
-- are told as the one index of the partitioned table, since they can't be dropped alone.
WITH page AS (
    SELECT pg_catalog.current_setting('block_size')::pg_catalog.float8 AS bytes
),
-- To measure an index the server has to open it, which takes its time with thousands. Those of a table that has hardly
-- changed since ANALYZE or VACUUM saw it are as large as they were then, and those of a table that neither has seen are
-- small where no row was counted and the table itself is small.
parent AS MATERIALIZED (
    SELECT
        t.oid,
        coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0) AS writes,
        coalesce(s.n_live_tup + s.n_dead_tup + s.n_mod_since_analyze > 1000, false)
        OR CASE
            WHEN t.reltuples = -1 THEN s.n_tup_ins > 0 OR pg_catalog.pg_relation_size(t.oid) >= 8 * page.bytes
            ELSE coalesce(s.last_analyze, s.last_autoanalyze, s.last_vacuum, s.last_autovacuum) IS NULL
        END AS may_have_grown
    FROM pg_catalog.pg_class AS t
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
    CROSS JOIN page
    LEFT JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = t.oid
    WHERE t.relkind IN ('r', 'm')
        AND t.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = t.oid
        )
),
leaf AS MATERIALIZED (
    SELECT
        i.indexrelid,
        i.indisreplident,
        i.indisclustered,
        CASE WHEN c.relispartition THEN pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid ELSE c.oid END AS root,
        coalesce(s.idx_scan, 0) AS scans,
        -- From 16 on the server knows when, too.
        CASE
            WHEN s.idx_scan > 0 THEN (pg_catalog.to_jsonb(s) ->> 'last_idx_scan')::pg_catalog.timestamptz
        END AS last_scan,
        CASE
            WHEN c.relpages >= 8 OR parent.may_have_grown THEN pg_catalog.pg_relation_size(c.oid)
            ELSE (c.relpages * page.bytes)::pg_catalog.int8
        END AS bytes,
        parent.writes,
        CASE
            WHEN pg_catalog.current_setting('track_commit_timestamp')::pg_catalog.bool
                THEN pg_catalog.pg_xact_commit_timestamp(c.xmin)
        END AS made
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN parent ON parent.oid = i.indrelid
    CROSS JOIN page
    LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = i.indexrelid
    WHERE i.indisvalid AND i.indislive
),
whole AS (
    SELECT
        leaf.root AS oid,
        pg_catalog.sum(leaf.scans)::pg_catalog.int8 AS scans,
        pg_catalog.max(leaf.last_scan) AS last_scan,
        pg_catalog.sum(leaf.bytes)::pg_catalog.int8 AS bytes,
        pg_catalog.sum(leaf.writes)::pg_catalog.int8 AS writes,
        pg_catalog.max(leaf.made) AS made,
        pg_catalog.bool_or(leaf.indisreplident) AS is_replica_identity,
        pg_catalog.bool_or(leaf.indisclustered) AS is_clustered
    FROM leaf
    GROUP BY leaf.root
),
-- Foreign keys that an index serves: their columns lead it, in any order, and it leaves out no row but NULLs.
serves AS (
    SELECT i.indexrelid, k.oid AS fk
    FROM pg_catalog.pg_constraint AS k
    JOIN pg_catalog.pg_index AS i ON i.indrelid = k.conrelid AND i.indisvalid
    WHERE k.contype = 'f'
        AND k.conkey[1] = ANY (i.indkey)
        AND pg_catalog.cardinality(k.conkey) <= i.indnkeyatts
        AND NOT EXISTS (
            SELECT
            FROM pg_catalog.regexp_split_to_table(pg_catalog.pg_get_expr(i.indpred, i.indrelid), ' AND ') AS part
            WHERE NOT EXISTS (
                SELECT FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = i.indrelid
                    AND a.attnum = ANY (k.conkey)
                    AND pg_catalog.btrim(part, '()')
                        = pg_catalog.concat(pg_catalog.quote_ident(a.attname), ' IS NOT NULL')
            )
        )
        AND ARRAY(SELECT pg_catalog.unnest(k.conkey) ORDER BY 1)
            OPERATOR(pg_catalog.=)
            ARRAY(
                SELECT key.attnum
                FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS key (attnum, position)
                WHERE key.position <= pg_catalog.cardinality(k.conkey)
                ORDER BY 1
            )
),
-- Of those that serve a foreign key one is needed: the one that was scanned last, else the oldest.
needed AS (
    SELECT DISTINCT ON (serves.fk) serves.indexrelid
    FROM serves
    LEFT JOIN whole AS w ON w.oid = serves.indexrelid
    ORDER BY serves.fk, w.last_scan DESC NULLS LAST, (coalesce(w.scans, 0) > 0) DESC, serves.indexrelid
)
SELECT
    n.nspname::pg_catalog.text AS schema,
    t.relname::pg_catalog.text AS "table",
    c.relname::pg_catalog.text AS name,
    whole.scans,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - whole.last_scan) AS last_scan_seconds,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - whole.made) AS made_seconds,
    whole.bytes,
    whole.writes,
    CASE
        WHEN c.oid IN (SELECT k.conindid FROM pg_catalog.pg_constraint AS k) THEN 'backs a constraint'
        WHEN i.indisunique THEN 'keeps values unique'
        WHEN whole.is_replica_identity THEN 'is the replica identity'
        WHEN whole.is_clustered THEN 'is what the table is clustered by'
        WHEN c.oid IN (SELECT needed.indexrelid FROM needed) THEN 'serves a foreign key'
    END AS purpose,
    -- What Django makes beside each unique or indexed text column, for LIKE.
    CASE
        WHEN c.relname ~ '_like$' THEN (
            SELECT pg_catalog.bool_and(oc.opcname IN ('varchar_pattern_ops', 'text_pattern_ops'))
            FROM pg_catalog.unnest(i.indclass::pg_catalog.oid[]) AS own (opclass)
            JOIN pg_catalog.pg_opclass AS oc ON oc.oid = own.opclass
        )
        ELSE false
    END AS is_django_like
FROM whole
JOIN pg_catalog.pg_class AS c ON c.oid = whole.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
ORDER BY whole.bytes DESC, 1, 2, 3;
