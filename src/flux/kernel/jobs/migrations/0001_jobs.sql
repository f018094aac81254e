-- due_at is when the row next concerns a worker: the time to run while it waits, the end of the lease while it runs.
-- Times are Unix milliseconds.
CREATE TABLE jobs (
    id {{serial}},
    kind {{text}} NOT NULL,
    key {{text}},
    payload {{blob}} NOT NULL,
    state {{text}} NOT NULL CHECK (state IN ('waiting', 'running', 'dead')),
    due_at {{bigint}} NOT NULL,
    attempts {{bigint}} NOT NULL DEFAULT 0,
    owner {{text}},
    last_error {{text}},
    created_at {{bigint}} NOT NULL
) {{strict}};

CREATE UNIQUE INDEX jobs_waiting_key ON jobs (kind, key) WHERE state = 'waiting' AND key IS NOT NULL;

CREATE INDEX jobs_due ON jobs (due_at) WHERE state <> 'dead';

-- Finds what a process runs, for its leases; and the dead, which are kept and few.
CREATE INDEX jobs_owner ON jobs (owner) WHERE state = 'running';

CREATE INDEX jobs_dead ON jobs (id) WHERE state = 'dead';

CREATE TABLE schedules (
    kind {{text}} PRIMARY KEY,
    due_at {{bigint}} NOT NULL,
    owner {{text}}
) {{strict}};
