-- Rules of pg_hba.conf as the server reads the file now; a rule that it can't read carries the error.
SELECT
    r.line_number AS line,
    coalesce(r.type, '') AS type,
    coalesce(pg_catalog.array_to_string(r.database, ','), '') AS databases,
    coalesce(pg_catalog.array_to_string(r.user_name, ','), '') AS roles,
    coalesce(r.address, '') AS address,
    coalesce(r.auth_method, '') AS method,
    r.error
FROM pg_catalog.pg_hba_file_rules AS r
ORDER BY r.line_number;
