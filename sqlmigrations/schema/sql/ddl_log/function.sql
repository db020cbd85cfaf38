-- The logger. It never keeps a command from running: whatever goes wrong in here is told to the server's log alone, and
-- it waits for nobody longer than lock_timeout. It runs with its owner's rights, so that it can write whoever changes
-- the schema, and along a search_path that nobody else can put objects into.
CREATE FUNCTION {function}() RETURNS event_trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET lock_timeout = '100ms'
AS $logger$
DECLARE
    changes jsonb;
    stack text;
    sample text;
    before text;
    behind text;
    sent text;
    ran text;
BEGIN
    -- What is temporary, what an extension brings along and what goes without saying (types of tables, TOAST) is left
    -- out; so is REFRESH MATERIALIZED VIEW, which jobs run every minute, unless the view is left without rows.
    IF tg_event = 'sql_drop' THEN
        SELECT jsonb_agg(jsonb_build_object('tag', tg_tag, 'kind', dropped.object_type,
                                            'object', dropped.object_identity, 'dropped', true))
          INTO changes
          FROM pg_event_trigger_dropped_objects() AS dropped
         WHERE NOT dropped.is_temporary
           AND dropped.object_identity !~ '(^|\s)pg_(toast_)?temp'
           AND (dropped.original
                OR dropped.object_type IN ('table', 'table column', 'table constraint', 'view', 'materialized view',
                                           'foreign table', 'index', 'sequence', 'trigger', 'policy', 'rule',
                                           'statistics object')
                OR (dropped.normal AND tg_tag <> 'DROP EXTENSION'))
           AND coalesce(dropped.schema_name, '') <> 'pg_toast'
           AND current_query() !~* '^\s*(create|alter)\s+extension\y';
    ELSE
        SELECT jsonb_agg(jsonb_build_object('tag', command.command_tag, 'kind', lower(command.object_type),
                                            'object', coalesce(command.object_identity, ''), 'dropped', false))
          INTO changes
          FROM pg_event_trigger_ddl_commands() AS command
         WHERE NOT command.in_extension
           AND coalesce(command.object_identity, '') !~ '(^|\s)pg_(toast_)?temp'
           AND (command.command_tag <> 'REFRESH MATERIALIZED VIEW'
                OR EXISTS (SELECT FROM pg_class WHERE oid = command.objid AND NOT relispopulated));
    END IF;
    IF changes IS NULL THEN
        RETURN;
    END IF;

    -- Within a function or a DO block the stack names the statement, current_query() what the client sent.
    GET DIAGNOSTICS stack = PG_CONTEXT;
    sent := left(current_query(), 5000);
    IF stack ~ '\n' THEN
        -- The words around a statement are those of lc_messages, so one that fails shows them: what stands before and
        -- behind it on the first line, and what the line of a function, here this one, begins with.
        BEGIN
            EXECUTE 'SELECT 1/0';
        EXCEPTION WHEN division_by_zero THEN
            GET STACKED DIAGNOSTICS sample = PG_EXCEPTION_CONTEXT;
        END;
        before := split_part(split_part(sample, E'\n', 1), 'SELECT 1/0', 1);
        behind := concat(split_part(split_part(sample, E'\n', 1), 'SELECT 1/0', 2), E'\n',
                         substring(split_part(sample, E'\n', 2) FROM '^(.*?)(?:"[^"]*"|[^\s"])+\(\)'));
        stack := split_part(substr(stack, strpos(stack, E'\n')), E'\n' || before, 2);
        IF strpos(stack, behind) > 0 THEN
            ran := left(split_part(stack, behind, 1), 5000);
        END IF;
    END IF;
    -- No password stays readable: neither in a literal (nested ones in doubled quotes first), nor in a connection
    -- string, nor in an address. One whose end was cut off is hidden up to the end.
    IF concat(sent, ran) ~* 'passw|://' THEN
        SELECT hidden[1], hidden[2]
          INTO sent, ran
          FROM (SELECT array_agg(
                    regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                        text,
                        '(passw(?:or)?d"?\s+[en]?)''''(?:[^'']|''''(?='''')|$)*(?:''''|$)', '\1''''********''''', 'gi'),
                        '(passw(?:or)?d"?\s+(?:[en]|u&)?)''(?!''\*)(?:[^'']|'''')*(?:''|$)', '\1''********''', 'gi'),
                        '(passw(?:or)?d\s*=\s*)(?:''+[^'']*(?:''+|$)|[^\s''"&;]+)', '\1********', 'gi'),
                        '(://[^\s:/@'']*:)[^\s@''/]+(?=@|$)', '\1********', 'g')
                    ORDER BY place)
                  FROM unnest(ARRAY[sent, ran]) WITH ORDINALITY AS told (text, place)) AS masked (hidden);
    END IF;

    INSERT INTO {change} (at, xid, role, assumed_role, application_name, client_address, backend_pid, filename,
                          tag, kind, object, dropped, statement, query)
    SELECT clock_timestamp(),
           pg_current_xact_id()::text::bigint,
           session_user,
           CASE current_setting('role') WHEN 'none' THEN '' ELSE current_setting('role') END,
           coalesce(current_setting('application_name', true), ''),
           coalesce(host(inet_client_addr()), ''),
           pg_backend_pid(),
           -- A file is at work when the history's last event says that this very backend has begun one. Whatever the
           -- file does to its session, it can't take that back.
           coalesce((SELECT last.filename
                       FROM (SELECT * FROM {event} ORDER BY id DESC LIMIT 1) AS last
                      WHERE last.type IN ('started', 'resumed')
                        AND last.details ->> 'backend_pid' = pg_backend_pid()::text
                        AND last.at > backend_start - interval '1 second'), ''),
           change ->> 'tag', change ->> 'kind', change ->> 'object', (change ->> 'dropped')::boolean,
           coalesce(ran, sent),
           CASE WHEN ran IS NULL THEN '' ELSE sent END
      FROM (SELECT change, min(place) AS place
              FROM jsonb_array_elements(changes) WITH ORDINALITY AS each (change, place)
             GROUP BY change) AS once
     CROSS JOIN pg_stat_get_activity(pg_backend_pid())
     ORDER BY place;
EXCEPTION WHEN OTHERS THEN
    RAISE LOG 'sqlmigrations: a change of the schema is missing from the DDL log: %', sqlerrm;
END
$logger$
