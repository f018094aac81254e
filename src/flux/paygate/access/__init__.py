"""Who gets in at all: request windows, bans, suspended providers.

turnstile.py   windows a minute by IP and wallet, and bans for those who keep pushing
windows.py     both over several processes: counted here, added up in the database
service.py     `Providers`: who is suspended
repository.py  the only SQL of the room
endpoints.py   POST and DELETE /admin/providers/{address}/block

The gate asks the turnstile first; listings and the relay ask `Providers`. Start at turnstile.py.
"""
