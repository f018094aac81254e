-- Whether an EIP-3009 authorisation has been settled on chain (`tx_hash` is then the settlement).
ALTER TABLE paygate_payments ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;

-- Everyone a listing pays: whom the facilitator settles for.
CREATE TABLE paygate_recipients (
    address {{text}} NOT NULL,
    listing_id {{text}} NOT NULL REFERENCES paygate_listings (id),
    PRIMARY KEY (address, listing_id)
) {{strict}};
CREATE INDEX paygate_recipients_listing ON paygate_recipients (listing_id);

-- Prepaid credit. A balance is `hi` × 10^18 + `lo` base units, 0 <= lo < 10^18: amounts in wei pass 64 bits.
CREATE TABLE paygate_credits (
    payer {{text}} NOT NULL,
    api_id {{text}} NOT NULL,
    chain_id {{bigint}} NOT NULL,
    currency {{text}} NOT NULL,
    hi {{bigint}} NOT NULL,
    lo {{bigint}} NOT NULL,
    updated_at {{bigint}} NOT NULL,
    PRIMARY KEY (payer, api_id, chain_id, currency)
) {{strict}};

-- Signatures that have paid from credit: each is good once.
CREATE TABLE paygate_digests (
    digest {{blob}} PRIMARY KEY,
    expires_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX paygate_digests_expiry ON paygate_digests (expires_at);

-- Finished calls by Idempotency-Key. `head` and `body` are null while the call is under way.
CREATE TABLE paygate_idempotency (
    api_id {{text}} NOT NULL,
    payer {{text}} NOT NULL,
    idempotency_key {{text}} NOT NULL,
    fingerprint {{blob}} NOT NULL,
    call_id {{text}} NOT NULL,
    head {{blob}},
    body {{blob}},
    expires_at {{bigint}} NOT NULL,
    PRIMARY KEY (api_id, payer, idempotency_key)
) {{strict}};
CREATE INDEX paygate_idempotency_expiry ON paygate_idempotency (expires_at);
CREATE INDEX paygate_idempotency_call ON paygate_idempotency (call_id);
