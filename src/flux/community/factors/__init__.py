"""Second factors that are codes: from an authenticator app, from a text message, from the paper with backup codes.

rules.py    one-time codes (RFC 6238) and how backup codes look;  repository.py  backup codes
service.py  what an account has, and whether a code is right

Passkeys are a room of their own. Logging in and sudo (auth) ask this room; the doors for switching factors on and off
are in mfa. Seeds and backup codes are kept encrypted; start at service.py.
"""
