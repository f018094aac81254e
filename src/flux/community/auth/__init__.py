"""Proving who one is: registration, passwords, sessions, mail tokens, new addresses, sudo.

tokens.py      how tokens look and how they are read
register.py    new accounts;  login.py  passwords and new addresses;  sessions.py  what a login gives
mails.py       the letters and the tokens in them;  sudo.py  proving it again;  captcha.py  proving to be human

The gate asks `SessionService` who holds a token. Uses users; knows nothing of guilds.
"""
