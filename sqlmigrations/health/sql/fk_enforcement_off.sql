-- What keeps triggers from firing, those behind foreign keys included: disabled ones (ALTER TABLE ... DISABLE TRIGGER
-- ALL disables the internal ones, too), and session_replication_role = replica for a role, a database or this session.
-- All that are on are told together, by their number.
WITH own AS MATERIALIZED (
    -- Those of a foreign key that stand on one table count as one.
    SELECT
        t.tgrelid,
        t.tgconstraint,
        CASE WHEN t.tgconstraint = 0 THEN t.oid ELSE 0 END AS trigger,
        -- A trigger for replicas only is on where it is meant to be; one of a foreign key is off.
        pg_catalog.bool_or(t.tgenabled = 'D' OR t.tgenabled = 'R' AND t.tgconstraint <> 0) AS is_off
    FROM pg_catalog.pg_trigger AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
                AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
        )
    GROUP BY 1, 2, 3
)
SELECT
    'trigger' AS kind,
    n.nspname::pg_catalog.text AS schema,
    c.relname::pg_catalog.text AS "table",
    coalesce(k.conname, t.tgname)::pg_catalog.text AS name,
    own.tgconstraint <> 0 AS is_constraint,
    true AS is_off,
    '' AS setting,
    1::pg_catalog.int8 AS things
FROM own
JOIN pg_catalog.pg_class AS c ON c.oid = own.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_constraint AS k ON k.oid = own.tgconstraint
LEFT JOIN pg_catalog.pg_trigger AS t ON t.oid = own.trigger
WHERE own.is_off
UNION ALL
SELECT 'trigger', '', '', '', false, false, '', pg_catalog.count(*)
FROM own
WHERE NOT own.is_off
UNION ALL
SELECT
    'setting',
    '',
    coalesce(d.datname, '')::pg_catalog.text,
    coalesce(r.rolname, '')::pg_catalog.text,
    false,
    pg_catalog.lower(setting) = 'session_replication_role=replica',
    setting,
    1
FROM pg_catalog.pg_db_role_setting AS s
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
WHERE (d.datname IS NULL OR d.datname = pg_catalog.current_database())
    AND pg_catalog.lower(setting) ~ '^session_replication_role='
UNION ALL
SELECT
    'session', '', '', CURRENT_USER::pg_catalog.text, false,
    pg_catalog.current_setting('session_replication_role') = 'replica', '', 1
ORDER BY is_off DESC, 1, 2, 3, 4;
