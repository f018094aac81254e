-- Every letter, sent or not, until it is swept. Once sent, text and data are erased outside the sandbox.
-- Times are Unix milliseconds.
CREATE TABLE outbox (
    id {{serial}},
    channel {{text}} NOT NULL CHECK (channel IN ('mail', 'sms')),
    recipient {{text}} NOT NULL,
    subject {{text}} NOT NULL,
    text {{text}},
    data {{blob}},
    created_at {{bigint}} NOT NULL,
    sent_at {{bigint}},
    attempts {{bigint}} NOT NULL DEFAULT 0,
    last_error {{text}}
) {{strict}};

CREATE INDEX outbox_recipient ON outbox (recipient, id);

CREATE INDEX outbox_created ON outbox (created_at);
