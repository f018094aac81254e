-- Windows that several processes count together, and bans that all of them keep. Times are Unix milliseconds.
CREATE TABLE paygate_windows (
    window_key {{text}} PRIMARY KEY,
    ends_at {{bigint}} NOT NULL,
    used {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX paygate_windows_ends ON paygate_windows (ends_at);

CREATE TABLE paygate_bans (
    banned {{text}} PRIMARY KEY,
    until {{bigint}} NOT NULL
) {{strict}};
