-- What models expect of the schema, and how it compared. See sqlmigrations/models.py for what each column means.

CREATE TABLE sqlmigrations_schemaexpectation (
    key text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expected bytea NOT NULL,
    fingerprint text NOT NULL DEFAULT '',
    verdict jsonb
);
