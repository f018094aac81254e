"""Calls that were made: each is opened with its reservation and closed with its outcome, in the ledger's unit of work.

model.py      a call as it is kept
analytics.py  pure: totals, series and tops over calls
service.py    `History`: opening, closing, listing, one by id
schemas.py    what crosses the wire
repository.py the only SQL about calls
endpoints.py  GET /history, /history/{callId} and their aliases

The ledger writes here through `History`; anyone else reads. Start at model.py.
"""
