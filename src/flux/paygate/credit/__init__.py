"""Prepaid credit: one payment, many calls. A balance a payer, listing, chain and currency.

service.py    `Credits`: deposit, spend, give back, list
repository.py the only SQL of the room: each change is one conditional update
endpoints.py  GET /credits

The ledger changes balances in its units of work. Start at repository.py.
"""
