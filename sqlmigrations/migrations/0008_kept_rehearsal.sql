-- Rehearsals are kept as well.
ALTER TABLE sqlmigrations_report DROP CONSTRAINT sqlmigrations_report_kind_check;
ALTER TABLE sqlmigrations_report
    ADD CONSTRAINT sqlmigrations_report_kind_check CHECK (kind IN ('validation', 'health', 'rehearsal'));
