-- Who knows whom: the characters that can be reached from one over at most so many connections.
--
-- The body is SQL's own, not a string: PostgreSQL has read it when the function is made, and knows which tables it
-- needs. UNION instead of UNION ALL drops what was reached twice in the same number of steps.

CREATE OR REPLACE FUNCTION connected_characters(start_id uuid, max_steps integer DEFAULT 3)
RETURNS TABLE (character_id uuid, steps integer)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH RECURSIVE reached (id, distance) AS (
        SELECT start_id, 0
        UNION
        SELECT CASE connection.source_id WHEN reached.id THEN connection.target_id ELSE connection.source_id END,
               reached.distance + 1
          FROM reached
          JOIN character_connections AS connection ON reached.id IN (connection.source_id, connection.target_id)
         WHERE reached.distance < max_steps
    )
    SELECT reached.id, min(reached.distance)
      FROM reached
     WHERE reached.id <> start_id
     GROUP BY reached.id
     ORDER BY min(reached.distance), reached.id;
END;

COMMENT ON FUNCTION connected_characters(uuid, integer) IS
    'Characters within max_steps connections of start_id, in either direction, each with the least number of steps.';
