"""The ledger: one payment pays one call, whatever happens and however many ask at once.

    (absent) → reserved → dispatched → consumed
                   ↓           ↓
                released ← released        a lease that runs out: reserved → released, dispatched → consumed, for review

rules.py      pure: the states in words, what an outcome does to a payment
model.py      holds and reservations
service.py    `Ledger`: reserve, dispatched, settle
settlements.py x402 settlements, noted before they are broadcast
journal.py    movements of money
rows.py       from verified payments to what is written
monitor.py    reorganisations: payments that vanish again
jobs.py       leases that ran out
repository.py the only SQL about payments, quotas and the journal: unique keys and conditional updates decide every race
endpoints.py  GET /payments/{txHash}, GET /admin/journal

The relay reserves and settles here. Start at rules.py.
"""
