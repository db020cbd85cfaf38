-- Whether a materialized view has what REFRESH ... CONCURRENTLY needs: a unique index on columns, without a predicate.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_index AS i
     WHERE i.indrelid = %(table)s AND i.indisunique AND i.indisvalid AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL
) AS is_there
