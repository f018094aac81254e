"""Passkeys (WebAuthn level 3): registering them, and proving with one who is there.

ceremony.py    the answers of authenticators, judged by the `webauthn` library; loaded on first use
service.py     challenges, credentials and their limit;  repository.py  the SQL of both

A challenge works once, for five minutes, for what it was made for. Attestation is not asked for: the instance does not
care who made the authenticator. Logging in and sudo (auth) ask this room; the doors for managing are in mfa.
"""
