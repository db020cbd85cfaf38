"""Changes by hand on the database of ``everything.sql``, and the one difference that each makes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Mutation:
    """A statement, and the kind, the object and the attribute of the difference that it makes.

    ``since`` is the first major version of PostgreSQL that knows the statement.
    """

    statement: str
    kind: str
    object: str
    attribute: str
    since: int = 14


MUTATIONS = (
    # schemas
    Mutation("CREATE SCHEMA attic", "schema", "attic", "presence"),
    Mutation("ALTER SCHEMA shop OWNER TO pg_read_all_data", "schema", "shop", "owner"),
    Mutation("COMMENT ON SCHEMA shop IS 'sold out'", "schema", "shop", "comment"),
    Mutation("GRANT CREATE ON SCHEMA shop TO pg_monitor", "schema", "shop", "grants"),
    # tables
    Mutation("CREATE TABLE shop.extra (id serial PRIMARY KEY, x text UNIQUE)", "table", "shop.extra", "presence"),
    Mutation("DROP TABLE shop.documents", "table", "shop.documents", "presence"),
    Mutation("ALTER TABLE shop.customers RENAME TO clients", "table", "shop.customers", "name"),
    Mutation("ALTER TABLE shop.cache SET LOGGED", "table", "shop.cache", "persistence"),
    Mutation("ALTER TABLE shop.orders SET (fillfactor = 70)", "table", "shop.orders", "options"),
    Mutation("ALTER TABLE shop.orders SET (autovacuum_enabled = off)", "table", "shop.orders", "options"),
    Mutation("ALTER TABLE shop.customers SET (toast.autovacuum_enabled = off)", "table", "shop.customers", "options"),
    Mutation("ALTER TABLE shop.cache REPLICA IDENTITY NOTHING", "table", "shop.cache", "replica_identity"),
    Mutation("ALTER TABLE shop.documents DISABLE ROW LEVEL SECURITY", "table", "shop.documents", "row_security"),
    Mutation("ALTER TABLE shop.documents FORCE ROW LEVEL SECURITY", "table", "shop.documents", "force_row_security"),
    Mutation("ALTER TABLE shop.orders OWNER TO pg_read_all_data", "table", "shop.orders", "owner"),
    Mutation("COMMENT ON TABLE shop.customers IS 'Who bought'", "table", "shop.customers", "comment"),
    Mutation("GRANT DELETE ON shop.customers TO pg_monitor", "table", "shop.customers", "grants"),
    Mutation("REVOKE INSERT ON shop.customers FROM pg_monitor", "table", "shop.customers", "grants"),
    Mutation("ALTER TABLE shop.dogs NO INHERIT shop.animals", "table", "shop.dogs", "inherits"),
    Mutation("ALTER TABLE shop.events DETACH PARTITION shop.events_2025", "table", "shop.events_2025", "partition_of"),
    Mutation(
        "CREATE TABLE shop.events_2027 PARTITION OF shop.events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')",
        "table",
        "shop.events_2027",
        "presence",
    ),
    # columns
    Mutation("ALTER TABLE shop.customers ADD phone text", "column", "shop.customers.phone", "presence"),
    Mutation("ALTER TABLE shop.customers DROP city", "column", "shop.customers.city", "presence"),
    Mutation("ALTER TABLE shop.events ADD place text", "column", "shop.events.place", "presence"),
    Mutation("ALTER TABLE shop.customers RENAME name TO called", "column", "shop.customers.name", "name"),
    Mutation("ALTER TABLE shop.customers ALTER nickname TYPE varchar(60)", "column", "shop.customers.nickname", "type"),
    Mutation("ALTER TABLE shop.animals ALTER legs TYPE bigint", "column", "shop.animals.legs", "type"),
    Mutation("ALTER TABLE shop.orders ALTER room SET NOT NULL", "column", "shop.orders.room", "not_null"),
    Mutation("ALTER TABLE shop.orders ALTER total DROP NOT NULL", "column", "shop.orders.total", "not_null"),
    Mutation(
        "UPDATE pg_constraint SET convalidated = false WHERE conname = 'orders_total_not_null'",
        "column",
        "shop.orders.total",
        "not_null_validated",
        since=18,
    ),
    Mutation("ALTER TABLE shop.customers ALTER notes SET DEFAULT 'some'", "column", "shop.customers.notes", "default"),
    Mutation("ALTER TABLE shop.customers ALTER joined DROP DEFAULT", "column", "shop.customers.joined", "default"),
    Mutation("ALTER TABLE shop.customers ALTER id DROP IDENTITY", "column", "shop.customers.id", "identity"),
    Mutation("ALTER TABLE shop.customers ALTER id SET GENERATED ALWAYS", "column", "shop.customers.id", "identity"),
    Mutation(
        "ALTER TABLE shop.customers ALTER id SET INCREMENT BY 2", "column", "shop.customers.id", "identity_sequence"
    ),
    Mutation(
        "ALTER TABLE shop.customers ALTER full_name DROP EXPRESSION", "column", "shop.customers.full_name", "generated"
    ),
    Mutation(
        'ALTER TABLE shop.customers ALTER notes TYPE text COLLATE "POSIX"',
        "column",
        "shop.customers.notes",
        "collation",
    ),
    Mutation("ALTER TABLE shop.customers ALTER bio SET STORAGE MAIN", "column", "shop.customers.bio", "storage"),
    Mutation(
        "ALTER TABLE shop.customers ALTER bio SET COMPRESSION DEFAULT", "column", "shop.customers.bio", "compression"
    ),
    Mutation(
        "ALTER TABLE shop.customers ALTER city SET STATISTICS 500", "column", "shop.customers.city", "statistics_target"
    ),
    Mutation("ALTER TABLE shop.orders ALTER room SET (n_distinct = 5)", "column", "shop.orders.room", "options"),
    Mutation("COMMENT ON COLUMN shop.customers.name IS NULL", "column", "shop.customers.name", "comment"),
    Mutation("GRANT UPDATE (total) ON shop.orders TO pg_monitor", "column", "shop.orders.total", "grants"),
    Mutation("REVOKE SELECT (name) ON shop.names FROM pg_monitor", "column", "shop.names.name", "presence"),
    Mutation(
        "ALTER TABLE shop.events_2025 ALTER kind SET DEFAULT 'view'", "column", "shop.events_2025.kind", "presence"
    ),
    # constraints
    Mutation(
        "ALTER TABLE shop.customers DROP CONSTRAINT customers_email_key",
        "constraint",
        "shop.customers.customers_email_key",
        "presence",
    ),
    Mutation(
        "ALTER TABLE shop.customers DROP CONSTRAINT customers_name_check",
        "constraint",
        "shop.customers.customers_name_check",
        "presence",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fk",
        "constraint",
        "shop.orders.orders_customer_fk",
        "presence",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_no_overlap",
        "constraint",
        "shop.orders.orders_no_overlap",
        "presence",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey", "constraint", "shop.orders.orders_pkey", "presence"
    ),
    Mutation(
        "ALTER TABLE shop.dogs ADD CONSTRAINT dogs_breed_check CHECK (breed <> '')",
        "constraint",
        "shop.dogs.dogs_breed_check",
        "presence",
    ),
    Mutation(
        "ALTER TABLE shop.dogs ADD PRIMARY KEY (breed)",
        "constraint",
        "shop.dogs.dogs_pkey",
        "presence",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_customer_fk, ADD CONSTRAINT orders_customer_fk"
        " FOREIGN KEY (customer_id) REFERENCES shop.customers (id) DEFERRABLE INITIALLY DEFERRED",
        "constraint",
        "shop.orders.orders_customer_fk",
        "definition",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_total_check,"
        " ADD CONSTRAINT orders_total_check CHECK (total >= 1)",
        "constraint",
        "shop.orders.orders_total_check",
        "definition",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_total_check,"
        " ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID",
        "constraint",
        "shop.orders.orders_total_check",
        "validated",
    ),
    Mutation(
        "ALTER TABLE shop.orders ALTER CONSTRAINT orders_customer_fk DEFERRABLE INITIALLY IMMEDIATE",
        "constraint",
        "shop.orders.orders_customer_fk",
        "initially_deferred",
    ),
    Mutation(
        "ALTER TABLE shop.orders DROP CONSTRAINT orders_number_key, ADD CONSTRAINT orders_number_key UNIQUE (number)",
        "constraint",
        "shop.orders.orders_number_key",
        "deferrable",
    ),
    Mutation(
        "ALTER TABLE shop.orders ALTER CONSTRAINT orders_customer_fk NOT ENFORCED",
        "constraint",
        "shop.orders.orders_customer_fk",
        "enforced",
        since=18,
    ),
    Mutation(
        "ALTER TABLE shop.orders RENAME CONSTRAINT orders_total_check TO orders_total_positive",
        "constraint",
        "shop.orders.orders_total_check",
        "name",
    ),
    Mutation(
        "ALTER INDEX shop.customers_email_key SET (fillfactor = 60)",
        "constraint",
        "shop.customers.customers_email_key",
        "index_options",
    ),
    Mutation(
        "COMMENT ON CONSTRAINT orders_total_check ON shop.orders IS 'never less'",
        "constraint",
        "shop.orders.orders_total_check",
        "comment",
    ),
    # indexes
    Mutation("DROP INDEX shop.orders_customer_idx", "index", "shop.orders_customer_idx", "presence"),
    Mutation("CREATE INDEX by_hand ON shop.orders (total)", "index", "shop.by_hand", "presence"),
    Mutation("ALTER INDEX shop.orders_customer_idx RENAME TO orders_cust", "index", "shop.orders_customer_idx", "name"),
    Mutation(
        "DROP INDEX shop.customers_city_idx;"
        "CREATE INDEX customers_city_idx ON shop.customers (city) WHERE NOT active;"
        "COMMENT ON INDEX shop.customers_city_idx IS 'For the map'",
        "index",
        "shop.customers_city_idx",
        "predicate",
    ),
    Mutation(
        "DROP INDEX shop.customers_lower_idx;"
        "CREATE INDEX customers_lower_idx ON shop.customers (lower(name)) INCLUDE (joined)",
        "index",
        "shop.customers_lower_idx",
        "definition",
    ),
    Mutation(
        "DROP INDEX shop.customers_lower_idx;"
        "CREATE INDEX customers_lower_idx ON shop.customers (lower(name) text_pattern_ops) INCLUDE (joined, city)",
        "index",
        "shop.customers_lower_idx",
        "columns",
    ),
    Mutation(
        "DROP INDEX shop.customers_joined_idx;"
        "CREATE INDEX customers_joined_idx ON shop.customers (joined) WITH (fillfactor = 80)",
        "index",
        "shop.customers_joined_idx",
        "definition",
    ),
    Mutation(
        "DROP INDEX shop.orders_customer_idx; CREATE UNIQUE INDEX orders_customer_idx ON shop.orders (customer_id)",
        "index",
        "shop.orders_customer_idx",
        "unique",
    ),
    Mutation(
        "DROP INDEX shop.totals_customer_idx;"
        "CREATE UNIQUE INDEX totals_customer_idx ON shop.totals (customer_id) NULLS NOT DISTINCT",
        "index",
        "shop.totals_customer_idx",
        "definition",
        since=15,
    ),
    Mutation(
        "DROP INDEX shop.orders_customer_idx; CREATE INDEX orders_customer_idx ON shop.orders USING hash (customer_id)",
        "index",
        "shop.orders_customer_idx",
        "method",
    ),
    Mutation(
        "ALTER INDEX shop.customers_joined_idx SET (fillfactor = 50)", "index", "shop.customers_joined_idx", "options"
    ),
    Mutation(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.orders_customer_idx'::regclass",
        "index",
        "shop.orders_customer_idx",
        "valid",
    ),
    Mutation(
        "UPDATE pg_index SET indisready = false WHERE indexrelid = 'shop.orders_customer_idx'::regclass",
        "index",
        "shop.orders_customer_idx",
        "ready",
    ),
    Mutation(
        "ALTER TABLE shop.orders CLUSTER ON orders_customer_idx", "index", "shop.orders_customer_idx", "clustered"
    ),
    Mutation(
        "ALTER INDEX shop.customers_lower_idx ALTER COLUMN 1 SET STATISTICS 300",
        "index",
        "shop.customers_lower_idx",
        "statistics_targets",
    ),
    Mutation("COMMENT ON INDEX shop.customers_city_idx IS NULL", "index", "shop.customers_city_idx", "comment"),
    # sequences
    Mutation("CREATE SEQUENCE shop.tickets", "sequence", "shop.tickets", "presence"),
    Mutation("ALTER SEQUENCE shop.invoice_numbers INCREMENT 1", "sequence", "shop.invoice_numbers", "increment"),
    Mutation("ALTER SEQUENCE shop.invoice_numbers MAXVALUE 5000", "sequence", "shop.invoice_numbers", "maximum"),
    Mutation("ALTER SEQUENCE shop.invoice_numbers CYCLE", "sequence", "shop.invoice_numbers", "cycle"),
    Mutation("ALTER SEQUENCE shop.invoice_numbers CACHE 1", "sequence", "shop.invoice_numbers", "cache"),
    Mutation(
        "ALTER SEQUENCE shop.orders_id_seq OWNED BY NONE; ALTER SEQUENCE shop.orders_id_seq OWNED BY"
        " shop.orders.number",
        "sequence",
        "shop.orders_id_seq",
        "owned_by",
    ),
    Mutation("ALTER SEQUENCE shop.invoice_numbers RENAME TO bill_numbers", "sequence", "shop.invoice_numbers", "name"),
    Mutation(
        "GRANT USAGE ON SEQUENCE shop.invoice_numbers TO pg_monitor", "sequence", "shop.invoice_numbers", "grants"
    ),
    # views
    Mutation("DROP VIEW shop.active_customers", "view", "shop.active_customers", "presence"),
    Mutation(
        "CREATE OR REPLACE VIEW shop.active_customers WITH (security_barrier) AS"
        " SELECT id, name, email FROM shop.customers",
        "view",
        "shop.active_customers",
        "definition",
    ),
    Mutation(
        "ALTER VIEW shop.active_customers SET (security_barrier = false)", "view", "shop.active_customers", "options"
    ),
    Mutation(
        "ALTER VIEW shop.active_customers SET (security_invoker = true)",
        "view",
        "shop.active_customers",
        "options",
        since=15,
    ),
    Mutation("ALTER VIEW shop.active_customers OWNER TO pg_read_all_data", "view", "shop.active_customers", "owner"),
    Mutation("GRANT SELECT ON shop.active_customers TO pg_monitor", "view", "shop.active_customers", "grants"),
    Mutation("ALTER VIEW shop.active_customers RENAME TO customers_now", "view", "shop.active_customers", "name"),
    Mutation("DROP MATERIALIZED VIEW shop.totals", "materialized view", "shop.totals", "presence"),
    Mutation("REFRESH MATERIALIZED VIEW shop.totals WITH NO DATA", "materialized view", "shop.totals", "populated"),
    Mutation(
        "ALTER MATERIALIZED VIEW shop.totals SET (fillfactor = 70)", "materialized view", "shop.totals", "options"
    ),
    # functions, procedures, aggregates
    Mutation("DROP FUNCTION shop.order_total(integer)", "function", "shop.order_total(integer)", "presence"),
    Mutation(
        "CREATE FUNCTION shop.order_total(text) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0'",
        "function",
        "shop.order_total(text)",
        "presence",
    ),
    Mutation(
        "CREATE OR REPLACE FUNCTION shop.order_total(wanted integer) RETURNS numeric LANGUAGE sql STABLE PARALLEL SAFE"
        " AS $$ SELECT total * 2 FROM shop.orders WHERE id = wanted $$",
        "function",
        "shop.order_total(integer)",
        "body",
    ),
    Mutation(
        "ALTER FUNCTION shop.order_total(integer) VOLATILE", "function", "shop.order_total(integer)", "volatility"
    ),
    Mutation(
        "ALTER FUNCTION shop.order_total(integer) PARALLEL UNSAFE", "function", "shop.order_total(integer)", "parallel"
    ),
    Mutation(
        "ALTER FUNCTION shop.order_total(integer) SECURITY DEFINER", "function", "shop.order_total(integer)", "security"
    ),
    Mutation("ALTER FUNCTION shop.order_total(integer) STRICT", "function", "shop.order_total(integer)", "strict"),
    Mutation("ALTER FUNCTION shop.order_total(integer) COST 7", "function", "shop.order_total(integer)", "cost"),
    Mutation("ALTER FUNCTION shop.touch() RESET search_path", "function", "shop.touch()", "settings"),
    Mutation(
        "REVOKE EXECUTE ON FUNCTION shop.order_total(integer) FROM PUBLIC",
        "function",
        "shop.order_total(integer)",
        "grants",
    ),
    Mutation(
        "ALTER FUNCTION shop.order_total(integer) RENAME TO total_of", "function", "shop.order_total(integer)", "name"
    ),
    Mutation("COMMENT ON FUNCTION shop.touch() IS 'hm'", "function", "shop.touch()", "comment"),
    Mutation("DROP PROCEDURE shop.tidy()", "procedure", "shop.tidy()", "presence"),
    Mutation("GRANT EXECUTE ON PROCEDURE shop.tidy() TO PUBLIC", "procedure", "shop.tidy()", "grants"),
    Mutation("DROP AGGREGATE shop.product(numeric)", "aggregate", "shop.product(numeric)", "presence"),
    Mutation(
        "CREATE OR REPLACE AGGREGATE shop.product(numeric) (sfunc = numeric_mul, stype = numeric, initcond = '2')",
        "aggregate",
        "shop.product(numeric)",
        "initial_state",
    ),
    # triggers, rules, policies, event triggers
    Mutation("DROP TRIGGER customers_touch ON shop.customers", "trigger", "shop.customers.customers_touch", "presence"),
    Mutation(
        "ALTER TABLE shop.customers DISABLE TRIGGER customers_touch",
        "trigger",
        "shop.customers.customers_touch",
        "state",
    ),
    Mutation(
        "ALTER TABLE shop.customers ENABLE ALWAYS TRIGGER customers_touch",
        "trigger",
        "shop.customers.customers_touch",
        "state",
    ),
    Mutation(
        "DROP TRIGGER orders_touch ON shop.orders; CREATE TRIGGER orders_touch BEFORE UPDATE ON shop.orders"
        " FOR EACH ROW EXECUTE FUNCTION shop.touch()",
        "trigger",
        "shop.orders.orders_touch",
        "definition",
    ),
    Mutation(
        "ALTER TRIGGER orders_touch ON shop.orders RENAME TO orders_t", "trigger", "shop.orders.orders_touch", "name"
    ),
    Mutation("DROP TRIGGER events_touch ON shop.events", "trigger", "shop.events.events_touch", "presence"),
    Mutation("DROP RULE cache_no_delete ON shop.cache", "rule", "shop.cache.cache_no_delete", "presence"),
    Mutation("ALTER TABLE shop.cache DISABLE RULE cache_no_delete", "rule", "shop.cache.cache_no_delete", "state"),
    Mutation(
        "CREATE OR REPLACE RULE cache_no_delete AS ON DELETE TO shop.cache DO ALSO NOTHING",
        "rule",
        "shop.cache.cache_no_delete",
        "definition",
    ),
    Mutation("DROP POLICY own_documents ON shop.documents", "policy", "shop.documents.own_documents", "presence"),
    Mutation(
        "ALTER POLICY own_documents ON shop.documents USING (true)", "policy", "shop.documents.own_documents", "using"
    ),
    Mutation(
        "ALTER POLICY own_documents ON shop.documents TO pg_monitor", "policy", "shop.documents.own_documents", "roles"
    ),
    Mutation("ALTER EVENT TRIGGER watch_drops DISABLE", "event trigger", "watch_drops", "state"),
    Mutation("DROP EVENT TRIGGER watch_drops", "event trigger", "watch_drops", "presence"),
    # types
    Mutation("ALTER TYPE shop.status RENAME VALUE 'sent' TO 'gone'", "enum", "shop.status", "labels"),
    Mutation("CREATE TYPE shop.colour AS ENUM ('red')", "enum", "shop.colour", "presence"),
    Mutation("GRANT USAGE ON TYPE shop.status TO pg_monitor", "enum", "shop.status", "grants"),
    Mutation("ALTER TYPE shop.status RENAME TO state", "enum", "shop.status", "name"),
    Mutation("ALTER DOMAIN shop.email DROP CONSTRAINT email_has_at", "domain", "shop.email", "constraints"),
    Mutation("ALTER DOMAIN shop.email DROP NOT NULL", "domain", "shop.email", "not_null"),
    Mutation("ALTER DOMAIN shop.email SET DEFAULT '@'", "domain", "shop.email", "default"),
    Mutation("ALTER TYPE shop.address ADD ATTRIBUTE zip text", "composite type", "shop.address", "columns"),
    Mutation("DROP TYPE shop.span", "range type", "shop.span", "presence"),
    # what belongs to the database
    Mutation("ALTER EXTENSION pg_trgm UPDATE TO '1.6'", "extension", "pg_trgm", "version"),
    Mutation("CREATE EXTENSION citext", "extension", "citext", "presence"),
    Mutation("ALTER EXTENSION pg_trgm SET SCHEMA shop", "extension", "pg_trgm", "schema"),
    Mutation("DROP STATISTICS shop.orders_statistics", "statistics", "shop.orders_statistics", "presence"),
    Mutation(
        "ALTER STATISTICS shop.orders_statistics SET STATISTICS 50", "statistics", "shop.orders_statistics", "target"
    ),
    Mutation("ALTER PUBLICATION shop_changes DROP TABLE shop.customers", "publication", "shop_changes", "tables"),
    Mutation("ALTER PUBLICATION shop_changes SET (publish = 'insert')", "publication", "shop_changes", "operations"),
    Mutation(
        "ALTER PUBLICATION shop_changes ADD TABLES IN SCHEMA public", "publication", "shop_changes", "schemas", since=15
    ),
    Mutation("ALTER SERVER warehouse OPTIONS (SET host 'elsewhere')", "server", "warehouse", "options"),
    Mutation(
        "ALTER FOREIGN TABLE shop.stock OPTIONS (SET table_name 'goods')",
        "foreign table",
        "shop.stock",
        "server_options",
    ),
    Mutation("ALTER FOREIGN TABLE shop.stock ADD place text", "column", "shop.stock.place", "presence"),
    Mutation("ALTER FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'on')", "foreign data wrapper", "nowhere", "options"),
    Mutation(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT INSERT ON TABLES TO pg_monitor",
        "default privileges",
        "FOR ROLE postgres IN SCHEMA shop ON TABLES",
        "grants",
    ),
    Mutation(
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "default privileges",
        "FOR ROLE postgres ON FUNCTIONS",
        "presence",
    ),
)

#: Each mutation as a parameter of a test that takes its time: every fourth by default, all of them nightly.
SOME_MUTATIONS = [
    pytest.param(mutation, id=mutation.statement[:90], marks=() if number % 4 == 0 else (pytest.mark.nightly,))
    for number, mutation in enumerate(MUTATIONS)
]
