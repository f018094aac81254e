-- Stays empty: one process owns a SQLite file, and whoever would have heard an event ended with it.
CREATE TABLE untold (
    id {{text}} PRIMARY KEY,
    events {{blob}} NOT NULL,
    again_at {{bigint}} NOT NULL DEFAULT 0
) {{strict}};
