-- Who was there: the characters that took part in a session.

CREATE TABLE session_attendance (
    session_id uuid NOT NULL,
    character_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT session_attendance_pkey PRIMARY KEY (session_id, character_id),
    CONSTRAINT session_attendance_session_id_fkey
        FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT session_attendance_character_id_fkey
        FOREIGN KEY (character_id) REFERENCES characters (id) ON DELETE CASCADE
);

COMMENT ON TABLE session_attendance IS 'Characters that took part in a session.';

-- The primary key serves the way from a session to its characters; this one the way back.
CREATE INDEX session_attendance_character_id_idx ON session_attendance (character_id);
