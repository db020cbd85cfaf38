-- Publications. `missing` stands for columns that older versions lack: an inner name wins over an outer one. The schemas
-- of a publication (new in PostgreSQL 15) are found by what depends on both, for older versions have no such catalog.
SELECT pub.oid,
       0 AS subid,
       'publication' AS kind,
       pg_catalog.quote_ident(pub.pubname) AS name,
       pg_catalog.pg_get_userbyid(pub.pubowner)::text AS owner,
       nullif(pub.puballtables, false) AS all_tables,
       pg_catalog.array_remove(ARRAY[
           CASE WHEN pub.pubinsert THEN 'insert' END,
           CASE WHEN pub.pubupdate THEN 'update' END,
           CASE WHEN pub.pubdelete THEN 'delete' END,
           CASE WHEN pub.pubtruncate THEN 'truncate' END
       ], NULL) AS operations,
       nullif(pub.pubviaroot, false) AS via_root,
       CASE pub.pubgencols WHEN 's' THEN 'stored' END AS generated_columns,
       ARRAY(SELECT member.prrelid::regclass::text
                        || coalesce(' (' || (
                               SELECT pg_catalog.string_agg(pg_catalog.quote_ident(att.attname), ', '
                                                            ORDER BY att.attnum)
                                 FROM pg_catalog.pg_attribute att
                                WHERE att.attrelid = member.prrelid
                                  AND att.attnum = ANY (member.prattrs::int2[])
                           ) || ')', '')
                        || coalesce(' WHERE ' || pg_catalog.pg_get_expr(member.prqual, member.prrelid), '')
               FROM (SELECT NULL::pg_catalog.pg_node_tree AS prqual, NULL::pg_catalog.int2vector AS prattrs) lacking
              CROSS JOIN LATERAL (
                        SELECT prpubid, prrelid, prqual, prattrs FROM pg_catalog.pg_publication_rel rel
                    ) member
              WHERE member.prpubid = pub.oid
              ORDER BY 1) AS tables,
       ARRAY(SELECT pg_catalog.quote_ident(n.nspname)
               FROM pg_catalog.pg_depend part
               JOIN pg_catalog.pg_depend whole ON whole.classid = part.classid AND whole.objid = part.objid
               JOIN pg_catalog.pg_namespace n ON n.oid = part.refobjid
              WHERE part.refclassid = 'pg_catalog.pg_namespace'::regclass
                AND whole.refclassid = 'pg_catalog.pg_publication'::regclass
                AND whole.refobjid = pub.oid
              ORDER BY 1) AS schemas
  FROM (SELECT NULL::"char" AS pubgencols) missing
 CROSS JOIN LATERAL (
           SELECT p.oid, pubname, pubowner, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot,
                  pubgencols
             FROM pg_catalog.pg_publication p
       ) pub
 WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend e
            WHERE e.classid = 'pg_catalog.pg_publication'::regclass AND e.objid = pub.oid AND e.deptype = 'e'
       )
