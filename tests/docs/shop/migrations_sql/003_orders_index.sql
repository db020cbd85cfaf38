-- sqlmigrations: transaction off
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
CREATE INDEX CONCURRENTLY orders_total_idx ON orders (total);
