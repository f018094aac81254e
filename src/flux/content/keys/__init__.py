"""API keys: how machines sign in, to management or to delivery.

A key pair is an opaque public key and a secret, which is the base64 of a P-256 private key (SEC1 DER). It works as
`Simple public:secret` and as `Secure public:signature`; a delivery key may also have one bearer token (`fxk_…`).
Only hashes and the public half are stored. The gate and delivery visit `Keys.authenticate`. Start at service.py.
"""
