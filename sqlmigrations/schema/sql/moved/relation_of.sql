-- The relation that an object of a catalog is part of; NULL for objects of other catalogs.
CASE {catalog}
    WHEN 'pg_catalog.pg_class'::regclass
    THEN coalesce((SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = {oid}), {oid})
    WHEN 'pg_catalog.pg_attrdef'::regclass
    THEN (SELECT adrelid FROM pg_catalog.pg_attrdef WHERE oid = {oid})
    WHEN 'pg_catalog.pg_constraint'::regclass
    THEN (SELECT conrelid FROM pg_catalog.pg_constraint WHERE oid = {oid})
    WHEN 'pg_catalog.pg_trigger'::regclass
    THEN (SELECT tgrelid FROM pg_catalog.pg_trigger WHERE oid = {oid})
    WHEN 'pg_catalog.pg_rewrite'::regclass
    THEN (SELECT ev_class FROM pg_catalog.pg_rewrite WHERE oid = {oid})
    WHEN 'pg_catalog.pg_policy'::regclass
    THEN (SELECT polrelid FROM pg_catalog.pg_policy WHERE oid = {oid})
    WHEN 'pg_catalog.pg_statistic_ext'::regclass
    THEN (SELECT stxrelid FROM pg_catalog.pg_statistic_ext WHERE oid = {oid})
END
