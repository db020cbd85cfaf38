CREATE TABLE report (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL);
INSERT INTO report (title) VALUES ('Everything');
