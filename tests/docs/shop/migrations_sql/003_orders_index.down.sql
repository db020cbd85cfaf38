-- sqlmigrations: transaction off
DROP INDEX CONCURRENTLY orders_total_idx;
DROP INDEX CONCURRENTLY orders_customer_idx;
