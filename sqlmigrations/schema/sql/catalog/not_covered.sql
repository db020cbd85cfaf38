-- The users' objects of kinds that are not read, counted.
WITH object (kind, classid, oid) AS (
    SELECT 'access method', 'pg_catalog.pg_am'::regclass, oid FROM pg_catalog.pg_am
     UNION ALL SELECT 'base type', 'pg_catalog.pg_type'::regclass, oid FROM pg_catalog.pg_type
                WHERE typtype = 'b' AND typelem = 0
     UNION ALL SELECT 'cast', 'pg_catalog.pg_cast'::regclass, oid FROM pg_catalog.pg_cast
     UNION ALL SELECT 'collation', 'pg_catalog.pg_collation'::regclass, oid FROM pg_catalog.pg_collation
                WHERE collnamespace <> 'pg_catalog'::regnamespace
     UNION ALL SELECT 'conversion', 'pg_catalog.pg_conversion'::regclass, oid FROM pg_catalog.pg_conversion
     UNION ALL SELECT 'database setting', 0, 16384 FROM pg_catalog.pg_db_role_setting
                WHERE setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
     UNION ALL SELECT 'language', 'pg_catalog.pg_language'::regclass, oid FROM pg_catalog.pg_language
     UNION ALL SELECT 'large object', 'pg_catalog.pg_largeobject'::regclass, oid
                 FROM pg_catalog.pg_largeobject_metadata
     UNION ALL SELECT 'operator', 'pg_catalog.pg_operator'::regclass, oid FROM pg_catalog.pg_operator
     UNION ALL SELECT 'operator class', 'pg_catalog.pg_opclass'::regclass, oid FROM pg_catalog.pg_opclass
     UNION ALL SELECT 'operator family', 'pg_catalog.pg_opfamily'::regclass, oid FROM pg_catalog.pg_opfamily
     UNION ALL SELECT 'security label', 0, objoid FROM pg_catalog.pg_seclabel
     UNION ALL SELECT 'subscription', 'pg_catalog.pg_subscription'::regclass, oid FROM pg_catalog.pg_subscription
                WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
     UNION ALL SELECT 'text search configuration', 'pg_catalog.pg_ts_config'::regclass, oid FROM pg_catalog.pg_ts_config
     UNION ALL SELECT 'text search dictionary', 'pg_catalog.pg_ts_dict'::regclass, oid FROM pg_catalog.pg_ts_dict
     UNION ALL SELECT 'text search parser', 'pg_catalog.pg_ts_parser'::regclass, oid FROM pg_catalog.pg_ts_parser
     UNION ALL SELECT 'text search template', 'pg_catalog.pg_ts_template'::regclass, oid FROM pg_catalog.pg_ts_template
     UNION ALL SELECT 'transform', 'pg_catalog.pg_transform'::regclass, oid FROM pg_catalog.pg_transform
     UNION ALL SELECT 'user mapping', 'pg_catalog.pg_user_mapping'::regclass, umid FROM pg_catalog.pg_user_mappings
)
SELECT kind, count(*)
  FROM object
 WHERE oid >= 16384
   AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = object.classid AND e.objid = object.oid AND e.deptype IN ('e', 'i')
       )
 GROUP BY kind
 ORDER BY kind
