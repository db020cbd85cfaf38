-- The changes in the log that may have to do with some objects: those of the objects themselves, by their names as the
-- catalog's reader writes them; those whose statement names one; and grants, for which PostgreSQL names no object.
SELECT {columns}
  FROM {change}
 WHERE object = ''
    OR kind = 'default acl'
    OR pg_catalog.replace(pg_catalog.regexp_replace(object, '^(.*) on (.*)$', '\2.\1'), 'pg_catalog.', '')
       = ANY (%(names)s)
    OR EXISTS (
           SELECT FROM unnest(%(parts)s::text[]) AS part
            WHERE pg_catalog.strpos(pg_catalog.lower(statement || ' ' || query), part) > 0
       )
 ORDER BY id DESC
 LIMIT %(most)s
