-- Where autovacuum doesn't run: on the whole server, or for a table or its TOAST table.
-- All tables where it runs are told together, by their number.
WITH relation AS MATERIALIZED (
    SELECT n.nspname, c.relname, c.reloptions, t.reloptions AS toast_options
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    WHERE c.relkind IN ('r', 'm')
        AND c.relpersistence <> 't'
        AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
),
off AS MATERIALIZED (
    SELECT relation.nspname, relation.relname, option.name
    FROM relation
    CROSS JOIN LATERAL (
        SELECT 'autovacuum_enabled' AS name, own.text
        FROM pg_catalog.unnest(relation.reloptions) AS own (text)
        UNION ALL
        SELECT 'toast.autovacuum_enabled', own.text
        FROM pg_catalog.unnest(relation.toast_options) AS own (text)
    ) AS option
    WHERE (relation.reloptions IS NOT NULL OR relation.toast_options IS NOT NULL)
        -- All that PostgreSQL takes for false.
        AND option.text ~* '^autovacuum_enabled=(f|fa|fal|fals|false|n|no|of|off|0)$'
)
SELECT
    'setting' AS kind,
    '' AS schema,
    '' AS "table",
    s.name,
    s.setting = 'off' AS is_off,
    1::pg_catalog.int8 AS things
FROM pg_catalog.pg_settings AS s
WHERE s.name IN ('autovacuum', 'track_counts')
UNION ALL
SELECT 'table', off.nspname::pg_catalog.text, off.relname::pg_catalog.text, off.name, true, 1
FROM off
UNION ALL
SELECT 'table', '', '', '', false, pg_catalog.count(*)
FROM relation
WHERE (relation.nspname, relation.relname) NOT IN (SELECT off.nspname, off.relname FROM off)
ORDER BY is_off DESC, 1, 2, 3, 4;
