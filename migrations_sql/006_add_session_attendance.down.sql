DROP TABLE session_attendance;
