-- sqlmigrations: requires django:shop.0001_initial
CREATE TABLE greeting (customer text NOT NULL, words text NOT NULL);
CREATE FUNCTION greet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO greeting VALUES (NEW.name, 'Hello ' || NEW.name);
    RETURN NULL;
END
$$;
CREATE TRIGGER greet AFTER INSERT ON shop_customer FOR EACH ROW EXECUTE FUNCTION greet();
