INSERT INTO customers (email, name) VALUES ('ada@example.com', 'Ada') ON CONFLICT DO NOTHING;
