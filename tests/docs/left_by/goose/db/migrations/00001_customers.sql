-- +goose Up
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL);

-- +goose Down
DROP TABLE customers;
