"""Payments as the chain shows them: what a call costs, and whether a transaction pays for it.

rules.py    pure: the payer rule, confirmations, amounts, ERC-20 transfers
service.py  `Payments`: facts from the chain, judged; signatures and the timestamp search

What became of a payment is not here but in the ledger. Start at rules.py.
"""
