-- Every roll of the dice, for the statistics and for the arguments.
--
-- By far the largest table: a busy evening makes thousands of rows, nobody looks at them after a year or two, and
-- dropping a partition is instant where a DELETE of its rows is not. The bounds are written out, in UTC: a schema that
-- depends on the day or on the time zone in which it was made can't be compared with another. The default partition
-- catches what no year claims, so that a roll is never refused because somebody forgot to add a year.

CREATE TABLE dice_rolls (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    character_id uuid,
    rolled_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    sides smallint NOT NULL,
    modifier smallint NOT NULL DEFAULT 0,
    results smallint[] NOT NULL,
    -- The key of a partitioned table holds the column that it is partitioned by.
    CONSTRAINT dice_rolls_pkey PRIMARY KEY (id, rolled_at),
    CONSTRAINT dice_rolls_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT dice_rolls_character_id_fkey FOREIGN KEY (character_id) REFERENCES characters (id) ON DELETE SET NULL,
    CONSTRAINT dice_rolls_sides_check CHECK (sides IN (4, 6, 8, 10, 12, 20, 100)),
    CONSTRAINT dice_rolls_results_check
        CHECK (cardinality(results) BETWEEN 1 AND 100 AND 1 <= ALL (results) AND sides >= ALL (results))
) PARTITION BY RANGE (rolled_at);

COMMENT ON TABLE dice_rolls IS 'Rolls of dice, one partition per year.';
COMMENT ON COLUMN dice_rolls.results IS 'What each die showed: {4,2} for 2d6.';
COMMENT ON COLUMN dice_rolls.modifier IS 'Added to the sum of the results.';

CREATE TABLE dice_rolls_2025 PARTITION OF dice_rolls
    FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');
CREATE TABLE dice_rolls_2026 PARTITION OF dice_rolls
    FOR VALUES FROM ('2026-01-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE dice_rolls_2027 PARTITION OF dice_rolls
    FOR VALUES FROM ('2027-01-01 00:00:00+00') TO ('2028-01-01 00:00:00+00');
CREATE TABLE dice_rolls_default PARTITION OF dice_rolls DEFAULT;

-- Made on the parent, they are made on every partition, those of coming years included.
CREATE INDEX dice_rolls_session_id_rolled_at_idx ON dice_rolls (session_id, rolled_at);
CREATE INDEX dice_rolls_character_id_idx ON dice_rolls (character_id);
