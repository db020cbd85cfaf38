-- What Flyway leaves, its table as its script for PostgreSQL makes it.
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint REFERENCES customers);
CREATE INDEX orders_customer_idx ON orders (customer_id);
CREATE VIEW customer_orders AS SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;

CREATE TABLE flyway_schema_history (
    installed_rank int NOT NULL,
    version varchar(50),
    description varchar(200) NOT NULL,
    type varchar(20) NOT NULL,
    script varchar(1000) NOT NULL,
    checksum int,
    installed_by varchar(100) NOT NULL,
    installed_on timestamp NOT NULL DEFAULT now(),
    execution_time int NOT NULL,
    success boolean NOT NULL
);
ALTER TABLE flyway_schema_history ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank);
CREATE INDEX flyway_schema_history_s_idx ON flyway_schema_history (success);
INSERT INTO flyway_schema_history VALUES
    (1, '1', 'customers', 'SQL', 'V1__customers.sql', 1, 'shop', '2024-03-01 12:00', 12, true),
    (2, '2', 'orders', 'SQL', 'V2__orders.sql', 2, 'shop', '2024-03-02 12:00', 40, true),
    (3, '10', 'orders customer index', 'SQL', 'V10__orders_customer_index.sql', 3, 'shop', '2024-03-03 12:00', 9, true),
    (4, NULL, 'customer orders', 'SQL', 'R__customer_orders.sql', 4, 'shop', '2024-03-03 12:00', 3, true);
