-- sqlmigrations: transaction off

DROP INDEX CONCURRENTLY audit_log_recorded_at_idx;
DROP INDEX CONCURRENTLY audit_log_table_name_row_id_idx;
