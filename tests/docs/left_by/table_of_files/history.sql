-- What a runner of one's own leaves: a row for each file, that which failed included.
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint REFERENCES customers);

CREATE TABLE migrations (
    id serial PRIMARY KEY,
    filename varchar(255) NOT NULL UNIQUE,
    executed_at timestamp DEFAULT now(),
    execution_time_ms int,
    success boolean DEFAULT true,
    error_message text
);
INSERT INTO migrations (filename, executed_at, execution_time_ms, success, error_message) VALUES
    ('001_customers.sql', '2024-03-01 12:00', 12, true, NULL),
    ('002_orders.sql', '2024-03-02 12:00', 40, true, NULL),
    ('003_orders_customer_index.sql', '2024-03-03 12:00', 0, false, 'deadlock detected');
