"""Who signed what: pure functions over bytes, no I/O.

keccak.py    Keccak-256
curve.py     public key recovery, signatures as they stand in headers
accounts.py  addresses and their EIP-55 checksum
message.py   the message of a paid call, versions 1 (packed keccak) and 2 (EIP-712)
typed.py     EIP-712 hashing, and the EIP-3009 transfer authorisation of x402
login.py     EIP-4361 (Sign-In with Ethereum), parsed strictly

Anyone in the plane may call these. Start at message.py.
"""
