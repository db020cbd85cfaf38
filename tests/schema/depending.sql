-- Relations whose texts say the names of other objects, in every way that PostgreSQL knows, for versions 14 to 18.
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE TYPE one.mood AS ENUM ('sad', 'ok');
CREATE TYPE one.pair AS (x integer, y integer);
CREATE DOMAIN one.positive AS integer CHECK (VALUE > 0);
CREATE SEQUENCE one.numbers;
CREATE FUNCTION one.first() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION one.fits(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
CREATE FUNCTION one.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';

CREATE TABLE one.base (
    id integer CONSTRAINT base_pkey PRIMARY KEY,
    a integer NOT NULL DEFAULT one.first(),
    b text,
    mood one.mood DEFAULT 'sad',
    pair one.pair,
    positive one.positive,
    number bigint DEFAULT nextval('one.numbers'),
    twice integer GENERATED ALWAYS AS (a * 2) STORED,
    CONSTRAINT base_b UNIQUE (b),
    CONSTRAINT base_a CHECK (a > 0 AND one.fits(a)),
    CONSTRAINT base_mood CHECK (mood <> 'ok')
);
CREATE INDEX base_expression ON one.base ((a + 1)) WHERE b <> '';
CREATE INDEX base_function ON one.base (one.fits(a));
CREATE STATISTICS one.base_statistics ON a, b FROM one.base;
CREATE TABLE one.far (id integer, base_id integer REFERENCES one.base (id), b text REFERENCES one.base (b));
CREATE TABLE one.counted (id serial, up integer GENERATED ALWAYS AS IDENTITY);
CREATE TABLE one.typed OF one.pair;
CREATE TABLE one.holding (one one.base, many one.base[], kind text DEFAULT 'one.base'::regclass::text);

CREATE VIEW one.first_view AS SELECT id, a, b, (pair).x, mood FROM one.base;
CREATE VIEW one.second_view AS SELECT first_view.a, id, far.base_id FROM one.first_view JOIN one.far USING (id);
CREATE MATERIALIZED VIEW one.third_view AS SELECT * FROM one.second_view;
CREATE INDEX third_view_a ON one.third_view (a);
CREATE VIEW one.whole AS SELECT base FROM one.base;
CREATE VIEW one.grouped AS SELECT id, b, count(*) FROM one.base GROUP BY id;
ALTER TABLE one.base ENABLE ROW LEVEL SECURITY;
CREATE POLICY base_own ON one.base USING (b = 'x');
CREATE POLICY far_own ON one.far USING (EXISTS (SELECT FROM one.base WHERE base.a = far.id));
CREATE TRIGGER base_touch BEFORE UPDATE ON one.base FOR EACH ROW WHEN (OLD.a <> NEW.a) EXECUTE FUNCTION one.touch();
CREATE TRIGGER far_touch BEFORE UPDATE OF base_id ON one.far FOR EACH ROW EXECUTE FUNCTION one.touch();
CREATE RULE far_insert AS ON INSERT TO one.far
    DO ALSO INSERT INTO one.base (id) VALUES (1) ON CONFLICT ON CONSTRAINT base_pkey DO NOTHING;
CREATE FUNCTION one.body() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(a) FROM one.base; END;
CREATE FUNCTION one.of_row(one.base) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE VIEW one.constants AS SELECT 'one.base'::regclass AS base, 'one.of_row(one.base)'::regprocedure AS function;

CREATE TABLE one.parts (at date, kind integer DEFAULT 1, CONSTRAINT parts_kind CHECK (kind > 0))
    PARTITION BY RANGE (at);
CREATE INDEX parts_kind_idx ON one.parts (kind);
CREATE TRIGGER parts_touch BEFORE UPDATE ON one.parts FOR EACH ROW EXECUTE FUNCTION one.touch();
CREATE TABLE one.parts_1 PARTITION OF one.parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE one.parts_2 (at date, kind integer DEFAULT 1, CONSTRAINT parts_kind CHECK (kind > 0));
CREATE TABLE one.parent (x integer DEFAULT 1, CONSTRAINT parent_x CHECK (x > 0));
CREATE TABLE one.child (y integer) INHERITS (one.parent);
CREATE TABLE one.grandchild (z integer) INHERITS (one.child);
CREATE TABLE one.stray (x integer DEFAULT 1, y integer, CONSTRAINT parent_x CHECK (x > 0));

COMMENT ON TABLE one.base IS 'a table';
COMMENT ON COLUMN one.base.a IS 'a column';
COMMENT ON CONSTRAINT base_a ON one.base IS 'a constraint';
COMMENT ON INDEX one.base_expression IS 'an index';
COMMENT ON TRIGGER base_touch ON one.base IS 'a trigger';
COMMENT ON RULE far_insert ON one.far IS 'a rule';
COMMENT ON POLICY base_own ON one.base IS 'a policy';
COMMENT ON STATISTICS one.base_statistics IS 'statistics';
COMMENT ON SEQUENCE one.numbers IS 'a sequence';
COMMENT ON VIEW one.first_view IS 'a view';
CREATE PUBLICATION depending FOR TABLE one.base;
