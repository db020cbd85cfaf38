-- A concurrent build that failed leaves an index that exists but is not valid.

SELECT indexes.name,
       coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(indexes.name)), false) AS is_valid
  FROM unnest(ARRAY['audit_log_table_name_row_id_idx', 'audit_log_recorded_at_idx']) AS indexes (name);
