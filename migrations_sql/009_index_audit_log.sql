-- sqlmigrations: transaction off
--
-- Find the history of one row, and what happened on one day.
--
-- Everything on the site writes to audit_log through the triggers. A plain CREATE INDEX would make all of it wait;
-- CONCURRENTLY does not, and for that can't run in a transaction. If it is stopped half-way, the next run goes on at
-- the statement where it stopped.

CREATE INDEX CONCURRENTLY audit_log_table_name_row_id_idx ON audit_log (table_name, row_id, recorded_at DESC);

-- Entries come in the order of time, and that is all that BRIN needs: a few kilobytes for millions of rows.
CREATE INDEX CONCURRENTLY audit_log_recorded_at_idx ON audit_log USING brin (recorded_at);

COMMENT ON INDEX audit_log_recorded_at_idx IS 'Useful as long as entries are only added, never moved or changed.';
