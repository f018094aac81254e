-- What can be bought over x402, one row an operation (one for the whole listing where it declares none), written with the
-- listing. `path` is a template below the listing. Of listings from before, only what their columns tell is known until
-- they are next changed.
CREATE TABLE paygate_resources (
    listing_id {{text}} NOT NULL REFERENCES paygate_listings (id),
    position {{bigint}} NOT NULL,
    method {{text}} NOT NULL,
    path {{text}} NOT NULL,
    chain_id {{bigint}} NOT NULL,
    pay_to {{text}} NOT NULL,
    PRIMARY KEY (listing_id, position)
) {{strict}};
CREATE INDEX paygate_resources_chain ON paygate_resources (chain_id);
CREATE INDEX paygate_resources_pay_to ON paygate_resources (pay_to);
INSERT INTO paygate_resources (listing_id, position, method, path, chain_id, pay_to)
    SELECT id, 0, '*', '/', chain_id, provider FROM paygate_listings WHERE currency = 'USDC' AND deleted_at IS NULL;

-- Settlements that the operator's key signed. Several share a nonce where the fee was raised (`tries` counts): at most one
-- of them is ever mined. The unique nonce decides between processes that send from one key. Fees in wei per gas.
CREATE TABLE paygate_sent (
    chain_id {{bigint}} NOT NULL,
    sender {{text}} NOT NULL,
    nonce {{bigint}} NOT NULL,
    tries {{bigint}} NOT NULL,
    tx_hash {{text}} NOT NULL,
    payment_key {{text}} NOT NULL,
    payer {{text}} NOT NULL,
    token {{text}} NOT NULL,
    data {{blob}} NOT NULL,
    gas {{bigint}} NOT NULL,
    max_fee {{bigint}} NOT NULL,
    tip {{bigint}} NOT NULL,
    sent_at {{bigint}} NOT NULL,
    PRIMARY KEY (chain_id, sender, nonce, tries)
) {{strict}};
CREATE INDEX paygate_sent_payment ON paygate_sent (payment_key);
