-- sqlmigrations: requires 004_add_triggers.sql, 012_add_private_notes.sql
-- sqlmigrations: allow dynamic-sql: makes two triggers, on the tables that the array names
--
-- The audit log covers sessions, connections and notes as well.
--
-- The statements are put together at run time, so nobody can tell from the text which tables they touch: that is why
-- this file says by itself what it builds on.

DO $$
DECLARE
    audited text;
BEGIN
    FOREACH audited IN ARRAY ARRAY['sessions', 'character_connections'] LOOP
        EXECUTE format(
            'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION record_change(''updated_at'')',
            audited || '_record_change', audited
        );
    END LOOP;
END
$$;

-- That a note was taken, shared or removed is recorded. What it says is not: the log is read by more people.
CREATE TRIGGER campaign_notes_record_change AFTER INSERT OR UPDATE OR DELETE ON campaign_notes
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at', 'body');
