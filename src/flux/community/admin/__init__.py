"""What admins and the operator may do to accounts, addresses and guilds. Every route names the ACL it needs.

The gate lets in sessions and bearers (scope `admin`) of accounts with that ACL, and the instance's admin key.
addresses.py holds the instance-wide address bans, which the gate asks on every request.
"""
