CREATE OR REPLACE VIEW customer_orders AS SELECT customer_id, count(*) AS orders FROM orders GROUP BY customer_id;
