-- What pg_dump_rows_15.sql and pg_dump_rows_18.sql were made of: rows that are hard to write and to read.
CREATE SCHEMA app;
CREATE TABLE texts (id int PRIMARY KEY, body text, note varchar(40) DEFAULT 'it''s');
INSERT INTO texts VALUES
    (1, NULL, NULL), (2, '', ''), (3, E'tab\there', E'line\nbreak'), (4, E'\\', E'\\\\'), (5, E'\\.', E'\\N'),
    (6, E'\r', E'carriage\r\nreturn'), (7, 'é€😀', '日本'), (8, '$$ $a$ ''quotes'' "names"', '-- ; /* no comment'),
    (9, E'\b\f\v\001', E'\\t is no tab'), (10, E'\\.\n\\.', E'a\\\n.'), (11, repeat('long ', 2000), 'long');
CREATE TABLE lists (line text, price numeric(12, 2));
INSERT INTO lists VALUES ('"a","b;c",,"d ""e"""', 12.50), ('a,b' || E'\n' || '"c"', NULL), (',,,', 'NaN');
CREATE TABLE bytes (id int PRIMARY KEY, content bytea);
INSERT INTO bytes VALUES (1, '\x00ff5c2e0a0d09'), (2, ''), (3, NULL), (4, decode(repeat('5c00', 3000), 'hex'));
CREATE TABLE app.values (
    id bigint GENERATED ALWAYS AS IDENTITY, made timestamptz, tags text[], more jsonb, span int4range, ratio float8,
    twice numeric GENERATED ALWAYS AS (ratio * 2) STORED
);
INSERT INTO app.values (made, tags, more, span, ratio) VALUES
    ('2026-01-01 00:00:00+00', ARRAY['a,b', 'c"d', NULL, E'e\\f', ''], '{"a\\tb": "it''s é\n"}', '[1,5)', 0.1),
    ('infinity', '{}', 'null', 'empty', 'NaN'), (NULL, NULL, NULL, NULL, NULL);
CREATE TABLE empty (id int, body text);
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE app."odd; ""name" ("tab	column" text, "select" int);
INSERT INTO app."odd; ""name" VALUES ('x', 1);
CREATE TABLE parted (id int, region text) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('eu');
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
INSERT INTO parted VALUES (1, 'eu'), (2, 'us'), (3, NULL);
CREATE TABLE children (id int PRIMARY KEY, parent int REFERENCES texts);
INSERT INTO children VALUES (1, 1), (2, NULL);
CREATE VIEW longest AS SELECT id, length(body) FROM texts ORDER BY 2 DESC;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS texts FROM texts;
CREATE SEQUENCE app.numbers START 42;
SELECT nextval('app.numbers');
CREATE FUNCTION app.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON empty FOR EACH ROW EXECUTE FUNCTION app.refuse();
CREATE FUNCTION app.two() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;
