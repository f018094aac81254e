-- Addresses and hashes are lower-case hex text; amounts in base units are decimal text (they pass 64 bits); times are
-- Unix milliseconds.

CREATE TABLE paygate_nonces (
    nonce {{text}} PRIMARY KEY,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE TABLE paygate_sessions (
    token_hash {{blob}} PRIMARY KEY,
    address {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    seen_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX paygate_sessions_seen ON paygate_sessions (seen_at);

CREATE TABLE paygate_blocked_providers (
    address {{text}} PRIMARY KEY,
    blocked_at {{bigint}} NOT NULL
) {{strict}};

-- `document` is the listing as JSON, `openapi` its document, apart because calls never need it.
-- `price_key` sorts prices as text. `search` is what a search looks into.
CREATE TABLE paygate_listings (
    id {{text}} PRIMARY KEY,
    provider {{text}} NOT NULL,
    name_key {{text}} NOT NULL,
    endpoint_key {{text}} NOT NULL,
    status {{text}} NOT NULL,
    currency {{text}} NOT NULL,
    chain_id {{bigint}} NOT NULL,
    category {{text}},
    price_key {{text}} NOT NULL,
    search {{text}} NOT NULL,
    document {{blob}} NOT NULL,
    openapi {{blob}},
    version {{bigint}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    updated_at {{bigint}} NOT NULL,
    deleted_at {{bigint}},
    calls {{bigint}} NOT NULL DEFAULT 0,
    latency_ms {{bigint}},
    stats {{blob}}
) {{strict}};
CREATE UNIQUE INDEX paygate_listings_name_key ON paygate_listings (provider, name_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX paygate_listings_endpoint_key ON paygate_listings (endpoint_key) WHERE deleted_at IS NULL;
CREATE INDEX paygate_listings_newest ON paygate_listings (created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE paygate_listing_tags (
    listing_id {{text}} NOT NULL REFERENCES paygate_listings (id),
    tag {{text}} NOT NULL,
    PRIMARY KEY (listing_id, tag)
) {{strict}};
CREATE INDEX paygate_listing_tags_tag ON paygate_listing_tags (tag, listing_id);

-- One row a payment, whoever presents it: `payment_key` decides every race.
CREATE TABLE paygate_payments (
    payment_key {{text}} PRIMARY KEY,
    state {{text}} NOT NULL,
    chain_id {{bigint}} NOT NULL,
    tx_hash {{text}},
    api_id {{text}} NOT NULL,
    payer {{text}} NOT NULL,
    call_id {{text}} NOT NULL,
    lease_until {{bigint}} NOT NULL,
    releases {{bigint}} NOT NULL,
    currency {{text}} NOT NULL,
    paid_base {{text}} NOT NULL,
    required_base {{text}} NOT NULL,
    block_number {{bigint}},
    block_hash {{text}},
    final_at_block {{bigint}},
    review INTEGER NOT NULL DEFAULT 0,
    created_at {{bigint}} NOT NULL,
    updated_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX paygate_payments_tx ON paygate_payments (tx_hash, chain_id);
CREATE INDEX paygate_payments_lease ON paygate_payments (lease_until) WHERE state IN ('reserved', 'dispatched');
CREATE INDEX paygate_payments_unsettled ON paygate_payments (chain_id, block_number) WHERE final_at_block IS NOT NULL;
CREATE INDEX paygate_payments_orphans ON paygate_payments (payer) WHERE state = 'orphaned';

CREATE TABLE paygate_calls (
    id {{text}} PRIMARY KEY,
    api_id {{text}} NOT NULL,
    api_name {{text}} NOT NULL,
    consumer {{text}} NOT NULL,
    provider {{text}} NOT NULL,
    method {{text}} NOT NULL,
    path {{text}} NOT NULL,
    query {{text}} NOT NULL,
    tx_hash {{text}},
    chain {{text}} NOT NULL,
    amount_base {{text}} NOT NULL,
    amount {{text}} NOT NULL,
    currency {{text}} NOT NULL,
    payment_flow {{text}} NOT NULL,
    payment_key {{text}} NOT NULL,
    status {{text}} NOT NULL,
    http_status {{bigint}},
    error_code {{text}},
    latency_ms {{bigint}},
    request_bytes {{bigint}} NOT NULL,
    response_bytes {{bigint}},
    payment_status {{text}},
    created_at {{bigint}} NOT NULL,
    completed_at {{bigint}}
) {{strict}};
CREATE INDEX paygate_calls_consumer ON paygate_calls (consumer, created_at, id);
CREATE INDEX paygate_calls_provider ON paygate_calls (provider, created_at, id);
CREATE INDEX paygate_calls_api ON paygate_calls (api_id, created_at);
CREATE INDEX paygate_calls_created ON paygate_calls (created_at);

-- Calls of a wallet in a UTC month, for monthly quotas.
CREATE TABLE paygate_quotas (
    api_id {{text}} NOT NULL,
    consumer {{text}} NOT NULL,
    period {{text}} NOT NULL,
    used {{bigint}} NOT NULL,
    PRIMARY KEY (api_id, consumer, period)
) {{strict}};

-- Append-only movements of money; the sum over a settled payment is zero.
CREATE TABLE paygate_journal (
    id {{serial}},
    at {{bigint}} NOT NULL,
    kind {{text}} NOT NULL,
    payment {{text}} NOT NULL,
    payer {{text}} NOT NULL,
    api_id {{text}} NOT NULL,
    chain_id {{bigint}} NOT NULL,
    currency {{text}} NOT NULL,
    amount_base {{text}} NOT NULL,
    balance_after {{text}} NOT NULL
) {{strict}};
CREATE INDEX paygate_journal_payment ON paygate_journal (payment, id);
