"""Accounts: the people who manage content, and their tokens.

Here live users (e-mail and password), access and refresh tokens (HS256), and the endpoints under /account/.
The gate visits `Accounts.user_of`; bootstrap visits `Accounts.found`. Keys of machines live in `keys`.
Start at service.py.
"""
