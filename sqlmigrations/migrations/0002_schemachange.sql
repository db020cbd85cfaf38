-- The DDL log. See sqlmigrations/models.py for what each column means; event triggers write it once they are installed.

CREATE TABLE sqlmigrations_schemachange (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    xid bigint NOT NULL,
    role text NOT NULL,
    assumed_role text NOT NULL DEFAULT '',
    application_name text NOT NULL DEFAULT '',
    client_address text NOT NULL DEFAULT '',
    backend_pid integer NOT NULL,
    filename text NOT NULL DEFAULT '',
    tag text NOT NULL,
    kind text NOT NULL,
    object text NOT NULL DEFAULT '',
    dropped boolean NOT NULL,
    statement text NOT NULL,
    query text NOT NULL DEFAULT ''
);

-- What is old is pruned; what is new is joined to drift.
CREATE INDEX sqlmigrations_change_at_idx ON sqlmigrations_schemachange (at);
