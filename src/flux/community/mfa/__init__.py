"""The doors for second factors: switching them on and off, looking at them, and asking for sudo with them.

endpoints.py          one-time codes, backup codes, text messages, and how one can prove oneself
passkey_endpoints.py  passkeys

The knowledge is in the rooms factors and passkeys, below auth; the doors stand above it because they ask for sudo.
"""
