-- Telling others what happened to content: who wants to know, and every message to them with what became of it.

-- `secret` is sealed with the instance's secret. `folders` is a JSON array of keys; empty means every folder.
CREATE TABLE content_webhooks (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    url {{text}} NOT NULL,
    events {{text}} NOT NULL,
    folders {{blob}} NOT NULL,
    is_enabled INTEGER NOT NULL,
    secret {{blob}} NOT NULL,
    secret_hint {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_webhooks_environment ON content_webhooks (environment, created_at);

-- `payload` is the body as it is sent, again and again the same. `finished_at` is null while it may be tried again.
CREATE TABLE content_webhook_deliveries (
    key {{text}} PRIMARY KEY,
    webhook {{text}} NOT NULL REFERENCES content_webhooks (key) ON DELETE CASCADE,
    event {{text}} NOT NULL,
    payload {{blob}} NOT NULL,
    status {{text}} NOT NULL,
    attempts INTEGER NOT NULL,
    last_status INTEGER,
    last_error {{text}},
    duration_ms {{bigint}},
    created_at {{bigint}} NOT NULL,
    next_attempt_at {{bigint}},
    finished_at {{bigint}}
) {{strict}};
CREATE INDEX content_webhook_deliveries_webhook ON content_webhook_deliveries (webhook, created_at DESC, key);
CREATE INDEX content_webhook_deliveries_finished ON content_webhook_deliveries (finished_at);
