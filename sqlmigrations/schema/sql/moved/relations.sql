-- The relations of which something was written, or taken away, since a roster was made, and those whose texts may say
-- something of them: what depends on one whose names were written, and what inherits. A row that was not to be seen
-- when the roster was made has the transaction `since` or a later one; age() takes those from before a wraparound for
-- later ones as well, so that they are read once more than needed.
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
    SELECT CASE note.classoid
               WHEN 'pg_catalog.pg_class'::regclass THEN note.objoid
               WHEN 'pg_catalog.pg_constraint'::regclass
               THEN (SELECT conrelid FROM pg_catalog.pg_constraint WHERE oid = note.objoid)
               WHEN 'pg_catalog.pg_trigger'::regclass
               THEN (SELECT tgrelid FROM pg_catalog.pg_trigger WHERE oid = note.objoid)
               WHEN 'pg_catalog.pg_rewrite'::regclass
               THEN (SELECT ev_class FROM pg_catalog.pg_rewrite WHERE oid = note.objoid)
               WHEN 'pg_catalog.pg_policy'::regclass
               THEN (SELECT polrelid FROM pg_catalog.pg_policy WHERE oid = note.objoid)
               WHEN 'pg_catalog.pg_statistic_ext'::regclass
               THEN (SELECT stxrelid FROM pg_catalog.pg_statistic_ext WHERE oid = note.objoid)
           END, false
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
    SELECT coalesce(i.indrelid, toasted.oid, written.oid),
           written.is_name AND i.indrelid IS NULL AND toasted.oid IS NULL
      FROM (SELECT oid, bool_or(is_name) AS is_name FROM written WHERE oid IS NOT NULL GROUP BY oid) written
      LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = written.oid
      LEFT JOIN pg_catalog.pg_class toasted ON toasted.reltoastrelid = written.oid
     UNION ALL
    SELECT owning.refobjid, false
      FROM written
      JOIN pg_catalog.pg_sequence seq ON seq.seqrelid = written.oid
      JOIN pg_catalog.pg_depend owning ON owning.objid = seq.seqrelid
     WHERE owning.classid = 'pg_catalog.pg_class'::regclass
       AND owning.refclassid = 'pg_catalog.pg_class'::regclass
       AND owning.deptype IN ('a', 'i')
), reached (classid, oid) AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid, relation FROM moved WHERE is_name
     UNION
    SELECT d.classid, d.objid
      FROM reached
      JOIN pg_catalog.pg_depend d ON d.refclassid = reached.classid AND d.refobjid = reached.oid
), family (relation) AS (
    SELECT relation
      FROM (
               SELECT relation FROM moved
                UNION ALL
               SELECT coalesce(i.indrelid, reached.oid)
                 FROM reached
                 LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = reached.oid
                WHERE classid = 'pg_catalog.pg_class'::regclass
                UNION ALL
               SELECT adrelid FROM pg_catalog.pg_attrdef
                WHERE oid IN (SELECT oid FROM reached WHERE classid = 'pg_catalog.pg_attrdef'::regclass)
                UNION ALL
               SELECT conrelid FROM pg_catalog.pg_constraint
                WHERE oid IN (SELECT oid FROM reached WHERE classid = 'pg_catalog.pg_constraint'::regclass)
                UNION ALL
               SELECT tgrelid FROM pg_catalog.pg_trigger
                WHERE oid IN (SELECT oid FROM reached WHERE classid = 'pg_catalog.pg_trigger'::regclass)
                UNION ALL
               SELECT ev_class FROM pg_catalog.pg_rewrite
                WHERE oid IN (SELECT oid FROM reached WHERE classid = 'pg_catalog.pg_rewrite'::regclass)
                UNION ALL
               SELECT polrelid FROM pg_catalog.pg_policy
                WHERE oid IN (SELECT oid FROM reached WHERE classid = 'pg_catalog.pg_policy'::regclass)
                UNION ALL
               SELECT stxrelid FROM pg_catalog.pg_statistic_ext
                WHERE oid IN (SELECT oid FROM reached WHERE classid = 'pg_catalog.pg_statistic_ext'::regclass)
           ) said
     UNION
    SELECT inh.inhrelid
      FROM family
      JOIN pg_catalog.pg_inherits inh ON inh.inhparent = family.relation
)
SELECT relation FROM family
