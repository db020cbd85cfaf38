"""What tests of reverting share: three files that build on each other, a view, and the command itself."""

from __future__ import annotations

from tests.helpers import Ran, manage

CUSTOMERS = {
    "001_customers.sql": "CREATE TABLE customers (id int PRIMARY KEY);",
    "001_customers.down.sql": "DROP TABLE customers;",
}
ORDERS = {
    "002_orders.sql": "CREATE TABLE orders (id int, customer int REFERENCES customers);",
    "002_orders.down.sql": "DROP TABLE orders;",
}
INDEX = {
    "003_index.sql": "CREATE INDEX orders_customer ON orders (customer);",
    "003_index.down.sql": "DROP INDEX orders_customer;",
}
TOTALS = {
    "repeatable/totals.sql": "CREATE OR REPLACE VIEW totals AS SELECT customer, count(*) FROM orders GROUP BY 1;",
    "repeatable/totals.down.sql": "DROP VIEW totals;",
}
ALONE = {"004_alone.sql": "CREATE TABLE alone (id int);", "004_alone.down.sql": "DROP TABLE alone;"}
SHOP = {**CUSTOMERS, **ORDERS, **INDEX, **TOTALS, **ALONE}


def revertsql(*arguments: str) -> Ran:
    """Run ``manage.py revertsql`` in this process; return its words with placeholders."""
    return manage("revertsql", *arguments)
