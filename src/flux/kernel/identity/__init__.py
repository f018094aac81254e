"""Who is asking.

secrets.py    tokens, their hashes, passwords, constant-time compare
vault.py      secrets that must be readable again, encrypted at rest
operators.py  the instance operator's admin token

Planes keep their own principals (users, bots, keys, wallets) in their own rooms and use these.
"""

from flux.kernel.identity.operators import Operator
from flux.kernel.identity.secrets import hash_password, new_token, password_matches, same, token_hash
from flux.kernel.identity.vault import Vault, VaultError, instance_secret

__all__ = [
    "Operator",
    "Vault",
    "VaultError",
    "hash_password",
    "instance_secret",
    "new_token",
    "password_matches",
    "same",
    "token_hash",
]
