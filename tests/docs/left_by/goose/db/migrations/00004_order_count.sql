-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION order_count() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN (SELECT count(*) FROM orders);
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION order_count();
