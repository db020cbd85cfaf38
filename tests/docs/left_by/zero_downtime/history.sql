-- What the patterns begin with.
CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, phone text, fax text);
CREATE TABLE orders (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id int NOT NULL,
    number text NOT NULL,
    total numeric(10, 2) NOT NULL,
    placed timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX orders_total_idx ON orders (total);
CREATE TABLE visits (at date NOT NULL, page text NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE goods (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
CREATE TYPE status AS ENUM ('open', 'paid');
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(total) AS total FROM orders GROUP BY customer_id;
CREATE UNIQUE INDEX totals_customer_id_key ON totals (customer_id);
INSERT INTO customers (email, phone) SELECT n || '@example.com', n::text FROM generate_series(1, 100) n;
INSERT INTO orders (customer_id, number, total) SELECT n, 'R' || n, n FROM generate_series(1, 100) n;
