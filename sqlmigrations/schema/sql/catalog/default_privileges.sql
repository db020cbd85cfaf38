-- Privileges that objects made later will have; what is granted is read with all other grants.
SELECT d.oid,
       0 AS subid,
       'default privileges' AS kind,
       'FOR ROLE ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.defaclrole))
           || coalesce(' IN SCHEMA ' || pg_catalog.quote_ident(n.nspname), '')
           || ' ON ' || CASE d.defaclobjtype
                            WHEN 'r' THEN 'TABLES'
                            WHEN 'S' THEN 'SEQUENCES'
                            WHEN 'f' THEN 'FUNCTIONS'
                            WHEN 'T' THEN 'TYPES'
                            WHEN 'n' THEN 'SCHEMAS'
                            WHEN 'L' THEN 'LARGE OBJECTS'
                            ELSE d.defaclobjtype::text
                        END AS name
  FROM pg_catalog.pg_default_acl d
  LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
