-- Units of work whose events may not have been told yet, for the moment between their commit and the bus. Rows live for a quarter of
-- a second; after a crash of the server there are none. `again_at` is until when somebody is telling them again (Unix ms).
CREATE UNLOGGED TABLE untold (
    id {{text}} PRIMARY KEY,
    events {{blob}} NOT NULL,
    again_at {{bigint}} NOT NULL DEFAULT 0
) WITH (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 1000
);

-- Compressing what is deleted in a moment is work for nothing.
ALTER TABLE untold ALTER COLUMN events SET STORAGE EXTERNAL;
