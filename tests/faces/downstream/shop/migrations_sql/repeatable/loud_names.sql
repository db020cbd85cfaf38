CREATE OR REPLACE VIEW loud_name AS SELECT upper(name) AS name FROM shop_customer;
