-- What the examples of the lint rules are about.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN money_d AS numeric;
CREATE SCHEMA attic;
CREATE TABLE attic.old (id int);
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE PROCEDURE purge() LANGUAGE sql AS 'SELECT 1';

CREATE TABLE items (id bigint PRIMARY KEY, cost money_d);
CREATE TABLE orders (
    id int PRIMARY KEY,
    code varchar(20),
    amount numeric(10, 2),
    placed timestamp,
    note text,
    CONSTRAINT orders_code_key UNIQUE (code, note)
);
CREATE INDEX orders_code_idx ON orders (code);
CREATE UNIQUE INDEX orders_id_uq ON orders (id) INCLUDE (code);
CREATE UNIQUE INDEX orders_reference_idx ON orders (code, amount);
ALTER TABLE orders ADD CONSTRAINT orders_code_nv CHECK (code <> 'x') NOT VALID;
CREATE INDEX orders_broken_idx ON orders (code);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_broken_idx'::regclass;

-- A foreign key that needs orders_id_uq: the primary key is away while it is made.
ALTER TABLE orders DROP CONSTRAINT orders_pkey;
DROP INDEX orders_id_uq;
CREATE UNIQUE INDEX orders_id_uq ON orders (id);
CREATE TABLE refers (
    id int PRIMARY KEY,
    order_id int CONSTRAINT refers_order_fkey REFERENCES orders (id),
    item bigint
);
ALTER TABLE orders ADD CONSTRAINT orders_pkey PRIMARY KEY (id);

CREATE TABLE points (order_id int);
ALTER TABLE points ADD CONSTRAINT points_order_nv FOREIGN KEY (order_id) REFERENCES orders NOT VALID;
CREATE TABLE proven (a int, CONSTRAINT proven_a CHECK (a IS NOT NULL));
CREATE TABLE keyless (a int);
CREATE UNIQUE INDEX keyless_a_idx ON keyless (a);
CREATE TABLE viewed (a int);
CREATE VIEW viewed_v AS SELECT a FROM viewed;
CREATE TABLE deferring (
    id int PRIMARY KEY,
    parent int REFERENCES deferring (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE moods (feeling mood);
CREATE MATERIALIZED VIEW totals AS SELECT code, sum(amount) AS total FROM orders GROUP BY code;
CREATE UNIQUE INDEX totals_code_idx ON totals (code);
CREATE MATERIALIZED VIEW keyless_v AS SELECT n FROM generate_series(1, 1000) AS n;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;

CREATE TABLE parts (a int NOT NULL) PARTITION BY RANGE (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_2 (a int NOT NULL);
CREATE TABLE parts_3 (a int NOT NULL, CHECK (a >= 200 AND a < 300));
CREATE TABLE logs (a int) PARTITION BY LIST (a);
CREATE TABLE logs_rest PARTITION OF logs DEFAULT;
CREATE TABLE logs_1 (a int);

INSERT INTO orders (id, code, amount, placed)
SELECT n, 'c' || n, n, '2026-01-01' FROM generate_series(1, 1000) AS n;
INSERT INTO items SELECT n FROM generate_series(1, 10) AS n;
INSERT INTO refers SELECT n, n, n FROM generate_series(1, 10) AS n;
INSERT INTO keyless SELECT n FROM generate_series(1, 10) AS n;
INSERT INTO viewed SELECT n FROM generate_series(1, 10) AS n;
INSERT INTO parts_2 SELECT 100 + n FROM generate_series(1, 10) AS n;
INSERT INTO parts_3 SELECT 200 + n FROM generate_series(1, 10) AS n;
INSERT INTO parts SELECT n FROM generate_series(1, 99) AS n;
INSERT INTO logs SELECT n FROM generate_series(1001, 2000) AS n;
INSERT INTO deferring SELECT n, n FROM generate_series(1, 10) AS n;
INSERT INTO moods SELECT 'ok' FROM generate_series(1, 10);
INSERT INTO attic.old SELECT n FROM generate_series(1, 10) AS n;
REFRESH MATERIALIZED VIEW totals;
INSERT INTO points SELECT n FROM generate_series(1, 10) AS n;
INSERT INTO proven SELECT n FROM generate_series(1, 10) AS n;
ANALYZE;
