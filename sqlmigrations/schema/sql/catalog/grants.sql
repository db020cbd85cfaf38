-- What was granted and revoked, as the statements that lead from an object's usual privileges to those it has. The same
-- privilege from two grantors counts once. Nobody has usual privileges on a column (acldefault('c', ...)), nor from the
-- default privileges of a schema, which add to those of the role.
WITH object (catalog, oid, subid, acl, usual) AS (
    SELECT 'pg_namespace', n.oid, 0, n.nspacl, pg_catalog.acldefault('n', n.nspowner)
      FROM pg_catalog.pg_namespace n
     UNION ALL
    SELECT 'pg_class', c.oid, 0, c.relacl,
           pg_catalog.acldefault(CASE WHEN c.relkind = 'S' THEN 's'::"char" ELSE 'r' END, c.relowner)
      FROM pg_catalog.pg_class c
     WHERE %(relations)s::oid[] IS NULL OR c.oid = ANY (%(relations)s::oid[])
     UNION ALL
    SELECT 'pg_class', att.attrelid, att.attnum::int, att.attacl, pg_catalog.acldefault('c', 10)
      FROM pg_catalog.pg_attribute att
     WHERE NOT att.attisdropped
       AND (%(relations)s::oid[] IS NULL OR att.attrelid = ANY (%(relations)s::oid[]))
     UNION ALL
    SELECT 'pg_proc', p.oid, 0, p.proacl, pg_catalog.acldefault('f', p.proowner)
      FROM pg_catalog.pg_proc p
     UNION ALL
    SELECT 'pg_type', t.oid, 0, t.typacl, pg_catalog.acldefault('T', t.typowner)
      FROM pg_catalog.pg_type t
     UNION ALL
    SELECT 'pg_foreign_data_wrapper', w.oid, 0, w.fdwacl, pg_catalog.acldefault('F', w.fdwowner)
      FROM pg_catalog.pg_foreign_data_wrapper w
     UNION ALL
    SELECT 'pg_foreign_server', s.oid, 0, s.srvacl, pg_catalog.acldefault('S', s.srvowner)
      FROM pg_catalog.pg_foreign_server s
     UNION ALL
    SELECT 'pg_default_acl', d.oid, 0, d.defaclacl,
           CASE WHEN d.defaclnamespace <> 0 THEN pg_catalog.acldefault('c', d.defaclrole)
                ELSE pg_catalog.acldefault(CASE WHEN d.defaclobjtype = 'S' THEN 's'::"char" ELSE d.defaclobjtype END,
                                           d.defaclrole) END
      FROM pg_catalog.pg_default_acl d
), changed AS (
    SELECT * FROM object WHERE acl IS NOT NULL AND (oid >= 16384 OR catalog = 'pg_namespace')
), given AS (
    SELECT catalog, oid, subid, grantee, privilege_type, is_grantable FROM changed, pg_catalog.aclexplode(acl)
), usual AS (
    SELECT catalog, oid, subid, grantee, privilege_type, is_grantable FROM changed, pg_catalog.aclexplode(usual)
), statement (catalog, oid, subid, words) AS (
    SELECT catalog, oid, subid, 'GRANT ' || privilege_type || ' TO '
               || CASE WHEN grantee = 0 THEN 'PUBLIC'
                       ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
               || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
      FROM (TABLE given EXCEPT TABLE usual) more
     UNION ALL
    SELECT catalog, oid, subid, 'REVOKE ' || privilege_type || ' FROM '
               || CASE WHEN grantee = 0 THEN 'PUBLIC'
                       ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)) END
      FROM (TABLE usual EXCEPT TABLE given) fewer
)
SELECT catalog, oid, subid, pg_catalog.array_agg(words ORDER BY words) AS grants
  FROM statement
 GROUP BY catalog, oid, subid
