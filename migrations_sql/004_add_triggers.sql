-- Keep updated_at right and write down who changed what, whichever program does it.
--
-- The functions fix their search_path: a dump is restored with an empty one, and a function that runs with its owner's
-- rights must not find a table that somebody else put in its way.

CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION set_updated_at() IS 'Trigger: set updated_at to the time of the transaction.';

CREATE TRIGGER users_set_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER campaigns_set_updated_at BEFORE UPDATE ON campaigns
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER characters_set_updated_at BEFORE UPDATE ON characters
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER character_connections_set_updated_at BEFORE UPDATE ON character_connections
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER sessions_set_updated_at BEFORE UPDATE ON sessions
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER quests_set_updated_at BEFORE UPDATE ON quests
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Who is at the keyboard: the site says so once per request, `SET LOCAL tabletop.user_id = '...'`.
CREATE FUNCTION current_player_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('tabletop.user_id', true), '')::uuid;

COMMENT ON FUNCTION current_player_id() IS 'The person that the setting tabletop.user_id names; NULL when it is unset.';

CREATE TABLE audit_log (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    row_id uuid NOT NULL,
    changed_by uuid,
    table_name text NOT NULL,
    action text NOT NULL,
    database_role text NOT NULL DEFAULT session_user,
    old_row jsonb,
    new_row jsonb,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id),
    CONSTRAINT audit_log_action_check CHECK (
        CASE action
            WHEN 'INSERT' THEN old_row IS NULL AND new_row IS NOT NULL
            WHEN 'UPDATE' THEN old_row IS NOT NULL AND new_row IS NOT NULL
            WHEN 'DELETE' THEN old_row IS NOT NULL AND new_row IS NULL
            ELSE false
        END
    )
);

-- No foreign keys: an entry outlives the row and the person that it speaks of.
COMMENT ON TABLE audit_log IS 'Who changed what and when; written by the trigger function record_change() alone.';
COMMENT ON COLUMN audit_log.changed_by IS 'The person at the keyboard, from current_player_id(); NULL for a script.';
COMMENT ON COLUMN audit_log.old_row IS 'The whole row before, so that jsonb_populate_record() can bring it back.';

-- SECURITY DEFINER: who may change a row needs no right on audit_log, and so can't tamper with it.
CREATE FUNCTION record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    ignored text[] := coalesce(TG_ARGV, '{}');
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - ignored END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - ignored END;
BEGIN
    IF old_row IS DISTINCT FROM new_row THEN
        INSERT INTO audit_log (row_id, changed_by, table_name, action, old_row, new_row)
        VALUES (
            (coalesce(new_row, old_row) ->> 'id')::uuid, current_player_id(), TG_TABLE_NAME, TG_OP, old_row, new_row
        );
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION record_change() IS
    'Trigger: write an audit_log entry. Its arguments name columns to leave out; a change of these alone is no change.';

REVOKE ALL ON FUNCTION record_change() FROM PUBLIC;

CREATE TRIGGER users_record_change AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at');
CREATE TRIGGER campaigns_record_change AFTER INSERT OR UPDATE OR DELETE ON campaigns
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at');
CREATE TRIGGER characters_record_change AFTER INSERT OR UPDATE OR DELETE ON characters
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at');
CREATE TRIGGER quests_record_change AFTER INSERT OR UPDATE OR DELETE ON quests
    FOR EACH ROW EXECUTE FUNCTION record_change('updated_at');
