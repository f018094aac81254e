"""Proving who one is: registration, passwords, sessions, mail tokens, new addresses, sudo.

tokens.py      how tokens look and how they are read
register.py    new accounts;  login.py  passwords and new addresses;  secondstep.py  factors after the password
admission.py   the last step of each of them;  sessions.py  what it gives;  recovery.py  back in by mail
mails.py       the letters and the tokens in them;  sudo.py  proving it again

The gate asks `SessionService` who holds a token. Uses users, factors, passkeys and captcha; knows nothing of guilds.
"""
