-- A text that changes with any row of the catalogs that are read: which rows there are, and who wrote each. ANALYZE and
-- VACUUM write in place and change nothing here. Temporary objects come and go and don't count, and of each relation's
-- columns those that PostgreSQL gives every one are the same for good. NOT IN is a look into a hash table here, and
-- leads the planner to read every catalog once.
WITH temporary AS (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'
), temporary_relation AS (
    SELECT oid FROM pg_catalog.pg_class WHERE relnamespace IN (SELECT oid FROM temporary)
), part (catalog, count, sum) AS (
    SELECT 'pg_class', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_class WHERE oid >= 16384 AND relnamespace NOT IN (SELECT oid FROM temporary)
     UNION ALL
    SELECT 'pg_attribute', count(*), sum(pg_catalog.hash_record_extended(ROW(att.attrelid, att.attnum, att.xmin), 0))
      FROM pg_catalog.pg_attribute att
     WHERE att.attrelid >= 16384 AND att.attnum > 0 AND att.attrelid NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_attrdef', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_attrdef WHERE adrelid >= 16384 AND adrelid NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_constraint', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_constraint WHERE oid >= 16384 AND connamespace NOT IN (SELECT oid FROM temporary)
     UNION ALL
    SELECT 'pg_index', count(*), sum(pg_catalog.hash_record_extended(ROW(indexrelid, xmin), 0))
      FROM pg_catalog.pg_index WHERE indexrelid >= 16384 AND indexrelid NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_inherits', count(*), sum(pg_catalog.hash_record_extended(ROW(inhrelid, inhparent, xmin), 0))
      FROM pg_catalog.pg_inherits WHERE inhrelid >= 16384 AND inhrelid NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_sequence', count(*), sum(pg_catalog.hash_record_extended(ROW(seqrelid, xmin), 0))
      FROM pg_catalog.pg_sequence WHERE seqrelid >= 16384 AND seqrelid NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_proc', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_proc WHERE oid >= 16384 AND pronamespace NOT IN (SELECT oid FROM temporary)
     UNION ALL
    SELECT 'pg_type', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_type WHERE oid >= 16384 AND typnamespace NOT IN (SELECT oid FROM temporary)
     UNION ALL
    SELECT 'pg_trigger', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_trigger WHERE tgrelid >= 16384 AND tgrelid NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_rewrite', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_rewrite WHERE ev_class >= 16384 AND ev_class NOT IN (SELECT oid FROM temporary_relation)
     UNION ALL
    SELECT 'pg_policy', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0)) FROM pg_catalog.pg_policy
     UNION ALL
    SELECT 'pg_enum', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0)) FROM pg_catalog.pg_enum
     UNION ALL
    SELECT 'pg_range', count(*), sum(pg_catalog.hash_record_extended(ROW(rngtypid, xmin), 0)) FROM pg_catalog.pg_range
     UNION ALL
    SELECT 'pg_aggregate', count(*), sum(pg_catalog.hash_record_extended(ROW(aggfnoid::oid, xmin), 0))
      FROM pg_catalog.pg_aggregate WHERE aggfnoid::oid >= 16384
     UNION ALL
    SELECT 'pg_statistic_ext', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_statistic_ext
     UNION ALL
    SELECT 'pg_namespace', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_'
     UNION ALL
    SELECT 'pg_extension', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0)) FROM pg_catalog.pg_extension
     UNION ALL
    SELECT 'pg_event_trigger', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_event_trigger
     UNION ALL
    SELECT 'pg_publication', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_publication
     UNION ALL
    SELECT 'pg_publication_rel', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_publication_rel
     UNION ALL
    SELECT 'pg_foreign_table', count(*), sum(pg_catalog.hash_record_extended(ROW(ftrelid, xmin), 0))
      FROM pg_catalog.pg_foreign_table
     UNION ALL
    SELECT 'pg_foreign_server', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_foreign_server
     UNION ALL
    SELECT 'pg_foreign_data_wrapper', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_foreign_data_wrapper
     UNION ALL
    SELECT 'pg_default_acl', count(*), sum(pg_catalog.hash_record_extended(ROW(oid, xmin), 0))
      FROM pg_catalog.pg_default_acl
     UNION ALL
    SELECT 'pg_description', count(*), sum(pg_catalog.hash_record_extended(ROW(classoid, objoid, objsubid, xmin), 0))
      FROM pg_catalog.pg_description WHERE objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::regclass
     UNION ALL
    -- Members of publications by schema (their catalog is new in PostgreSQL 15), and of extensions.
    SELECT 'pg_depend', count(*), sum(pg_catalog.hash_record_extended(
               ROW(classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype, xmin), 0))
      FROM pg_catalog.pg_depend
     WHERE refclassid IN ('pg_catalog.pg_extension'::regclass, 'pg_catalog.pg_publication'::regclass)
     UNION ALL
    -- Names of roles, which owners and grants show: those that came with the server, and those with anything in this
    -- database. Others come and go for other databases.
    SELECT 'pg_roles', count(*), sum(pg_catalog.hashtextextended(rolname::text, oid::bigint))
      FROM pg_catalog.pg_roles
     WHERE oid < 16384
        OR oid IN (SELECT refobjid FROM pg_catalog.pg_shdepend
                    WHERE refclassid = 'pg_catalog.pg_authid'::regclass
                      AND dbid = (SELECT oid FROM pg_catalog.pg_database
                                   WHERE datname = pg_catalog.current_database()))
)
SELECT pg_catalog.md5(
           pg_catalog.concat_ws(
               ' ',
               pg_catalog.current_setting('server_version_num'),
               (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()),
               (SELECT pg_catalog.string_agg(catalog || ' ' || count || ' ' || coalesce(sum, 0), ' ' ORDER BY catalog)
                  FROM part)
           )
       )
