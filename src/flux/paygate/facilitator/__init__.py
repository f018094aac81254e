"""x402: requirements, payment payloads, verifying and settling EIP-3009 transfers with the operator's gas.

model.py         what is asked for and what is presented, in both versions of the protocol
payloads.py      pure: headers and bodies → payloads
rules.py         pure: does a payload meet a requirement
transactions.py  pure: EIP-1559 transactions, encoded and signed
service.py       `Facilitator`: verify and settle on chain; one sender a chain
offers.py        what a listing asks for over x402, and how unpaid answers say so
refusals.py      the protocol's words as this API's faults
counter.py       `Counter`: the facilitator for other resource servers
schemas.py       what crosses the wire
endpoints.py     GET /facilitator/supported, POST /facilitator/verify, /facilitator/settle, GET /discovery/resources

The relay settles here in-process; other resource servers over HTTP. Start at model.py.
"""
