-- The relations of which something was written, or taken away, since a roster was made, and those whose texts may say
-- something of them: what depends on one whose names were written, and what inherits. A row that was not to be seen
-- when the roster was made has the transaction `since` or a later one; age() takes those from before a wraparound for
-- later ones as well, so that they are read once more than needed. What was written is little, which the planner can't
-- know: OFFSET 0 keeps it from reading a whole catalog where a look by an index will do.
WITH RECURSIVE since (age) AS (
    SELECT pg_catalog.age(%(since)s::xid)
), written (oid, is_name) AS (
    SELECT oid, true FROM pg_catalog.pg_class
     WHERE oid >= 16384 AND pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT attrelid, true FROM pg_catalog.pg_attribute
     WHERE attrelid >= 16384 AND attnum > 0 AND pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT adrelid, false FROM pg_catalog.pg_attrdef WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    -- The name of one that is unique can stand in ON CONFLICT ON CONSTRAINT.
    SELECT conrelid, contype IN ('p', 'u', 'x') FROM pg_catalog.pg_constraint
     WHERE conrelid >= 16384 AND pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT indexrelid, false FROM pg_catalog.pg_index WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT inhrelid, false FROM pg_catalog.pg_inherits WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT seqrelid, false FROM pg_catalog.pg_sequence WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT tgrelid, false FROM pg_catalog.pg_trigger WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT ev_class, false FROM pg_catalog.pg_rewrite WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT polrelid, false FROM pg_catalog.pg_policy WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT stxrelid, false FROM pg_catalog.pg_statistic_ext WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT ftrelid, false FROM pg_catalog.pg_foreign_table WHERE pg_catalog.age(xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT {commented}, false
      FROM pg_catalog.pg_description note
     WHERE note.objoid >= 16384 AND pg_catalog.age(note.xmin) <= (SELECT age FROM since)
     UNION ALL
    SELECT gone.relation, false
      FROM (
               SELECT * FROM unnest(%(relations)s::oid[], %(digests)s::bigint[])
               EXCEPT
               SELECT whole.relation, whole.digest FROM ({parts}) whole
           ) gone (relation, digest)
), moved (relation, is_name) AS (
    -- What is read with a table: its indexes, the storage of its long values, the numbers of its identities.
    SELECT coalesce(i.indrelid, written.oid), written.is_name AND i.indrelid IS NULL
      FROM (SELECT oid, bool_or(is_name) AS is_name FROM written WHERE oid IS NOT NULL GROUP BY oid) written
      LEFT JOIN LATERAL (
               SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = written.oid OFFSET 0
           ) i ON true
     UNION ALL
    SELECT owner.oid, false
      FROM written
     CROSS JOIN LATERAL (
               SELECT owning.refobjid AS oid
                 FROM pg_catalog.pg_class c
                 JOIN pg_catalog.pg_depend owning ON owning.objid = c.oid
                WHERE c.oid = written.oid
                  AND c.relkind IN ('S', 't')
                  AND owning.classid = 'pg_catalog.pg_class'::regclass
                  AND owning.refclassid = 'pg_catalog.pg_class'::regclass
                  AND owning.deptype IN ('a', 'i')
               OFFSET 0
           ) owner
), reached (classid, oid) AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid, relation FROM moved WHERE is_name
     UNION
    SELECT d.classid, d.objid
      FROM reached
     CROSS JOIN LATERAL (
               SELECT classid, objid
                 FROM pg_catalog.pg_depend
                WHERE refclassid = reached.classid AND refobjid = reached.oid
               OFFSET 0
           ) d
), family (relation) AS (
    SELECT relation
      FROM (SELECT relation FROM moved UNION ALL SELECT {reached} FROM reached) said
     WHERE relation IS NOT NULL
     UNION
    SELECT inh.inhrelid
      FROM family
      JOIN pg_catalog.pg_inherits inh ON inh.inhparent = family.relation
)
SELECT relation
  FROM family
 WHERE (SELECT relkind FROM pg_catalog.pg_class WHERE oid = relation) IS DISTINCT FROM 't'
