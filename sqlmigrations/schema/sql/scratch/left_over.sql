-- Scratch databases whose maker has gone: it held an advisory lock (%(class)s, key) while it lived. Locks of all
-- databases are seen from each. The name ends with the key, as eight hexadecimal digits.
SELECT datname::text
  FROM pg_catalog.pg_database
 WHERE datname ~ %(pattern)s
   AND pg_catalog.pg_has_role(datdba, 'USAGE')
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_locks
          WHERE locktype = 'advisory' AND granted AND objsubid = 2
            AND classid = %(class)s AND lpad(to_hex(objid::bigint), 8, '0') = right(datname::text, 8))
 ORDER BY datname;
