-- What the texts of relations can say beside the names of relations: types, the labels of enums, functions, schemas,
-- roles. In one row, with no oid, all that is rarely written: where it changes, whatever it is, all is read.
WITH relation AS MATERIALIZED (
    SELECT oid, relname, relkind, relnamespace, reltype
      FROM pg_catalog.pg_class
     WHERE relkind = 'c' OR relnamespace = 'pg_catalog'::regnamespace
)
SELECT 'pg_namespace' AS catalog, oid, pg_catalog.hash_record_extended(ROW(nspname), 0) AS hash
  FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
 UNION ALL
SELECT 'pg_type', t.oid, pg_catalog.hash_record_extended(ROW(t.xmin), 0)
  FROM pg_catalog.pg_type t
 WHERE t.oid >= 16384
   AND (t.typrelid = 0 OR t.typrelid IN (SELECT oid FROM relation WHERE relkind = 'c'))
   AND t.oid NOT IN (SELECT typarray FROM pg_catalog.pg_type)
 UNION ALL
SELECT 'pg_attribute', composite.reltype,
       (SELECT sum(pg_catalog.hash_record_extended(ROW(att.attnum, att.xmin), 0))
          FROM pg_catalog.pg_attribute att WHERE att.attrelid = composite.oid)
  FROM relation composite
 WHERE composite.relkind = 'c' AND composite.reltype >= 16384
 UNION ALL
SELECT 'pg_tablespace', oid, pg_catalog.hash_record_extended(ROW(spcname), 0) FROM pg_catalog.pg_tablespace
 UNION ALL
SELECT 'pg_roles', oid, pg_catalog.hash_record_extended(ROW(rolname), 0) FROM pg_catalog.pg_roles
 UNION ALL
SELECT 'pg_enum', oid, pg_catalog.hash_record_extended(ROW(enumlabel), 0) FROM pg_catalog.pg_enum
 UNION ALL
SELECT 'pg_proc', oid,
       pg_catalog.hash_record_extended(
           ROW(proname, pronamespace, proargtypes, provariadic, prorettype, proretset, prokind), 0)
  FROM pg_catalog.pg_proc WHERE oid >= 16384
 UNION ALL
SELECT 'rare', 0, sum(hash)
  FROM (
           SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 1) FROM pg_catalog.pg_operator
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 2) FROM pg_catalog.pg_opclass
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 3) FROM pg_catalog.pg_opfamily
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 4) FROM pg_catalog.pg_am
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 5) FROM pg_catalog.pg_collation
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 6) FROM pg_catalog.pg_language
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 7) FROM pg_catalog.pg_cast
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 9) FROM pg_catalog.pg_foreign_server
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 10) FROM pg_catalog.pg_ts_config
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 11) FROM pg_catalog.pg_ts_dict
            -- What lies in pg_catalog is said without its schema, where no other object there fits as well.
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 13) FROM pg_catalog.pg_proc
                       WHERE pronamespace = 'pg_catalog'::regnamespace
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, xmin), 14) FROM pg_catalog.pg_type
                       WHERE typnamespace = 'pg_catalog'::regnamespace
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(oid, relname), 15) FROM relation
                       WHERE relnamespace = 'pg_catalog'::regnamespace
            -- What belongs to an extension is not read.
            UNION ALL SELECT pg_catalog.hash_record_extended(ROW(classid, objid, objsubid, refobjid, deptype), 16)
                        FROM pg_catalog.pg_depend WHERE refclassid = 'pg_catalog.pg_extension'::regclass
       ) rare (hash)
