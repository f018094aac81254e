"""Answers kept for a day by Idempotency-Key, so that a repeated call is answered again and not charged again.

model.py      what identifies a request, and a kept answer
service.py    `Replays`: look, open, keep, drop
repository.py the only SQL of the room

The ledger opens and closes entries in its units of work; the relay looks before any payment is examined.
"""
