-- Tables whose updates or deletes are published, and whether a subscriber can tell which row is meant.
-- Without a replica identity such an UPDATE or DELETE fails on the publisher.
SELECT DISTINCT
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    c.relreplident = 'f'
    OR EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = c.oid
            AND i.indisvalid
            AND i.indimmediate
            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
    ) AS has_identity,
    EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
    ) AS has_id,
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p'
    ) AS has_key,
    pg_catalog.string_agg(p.pubname::pg_catalog.text, ', ') OVER (PARTITION BY c.oid) AS publications
FROM pg_catalog.pg_publication_tables AS pt
JOIN pg_catalog.pg_publication AS p ON p.pubname = pt.pubname AND (p.pubupdate OR p.pubdelete)
JOIN pg_catalog.pg_namespace AS n ON n.nspname = pt.schemaname
JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = pt.tablename
WHERE c.relkind IN ('r', 'p')
ORDER BY has_identity, 1, 2;
