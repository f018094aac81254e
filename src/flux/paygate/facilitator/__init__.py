"""x402: requirements, payment payloads, verifying and settling EIP-3009 transfers with the operator's gas.

model.py         what is asked for and what is presented, in both versions of the protocol
payloads.py      pure: headers and bodies → payloads
rules.py         pure: does a payload meet a requirement
transactions.py  pure: EIP-1559 transactions, encoded and signed
service.py       `Facilitator`: verify and settle on chain
sender.py        `Sender`: the operator's key, one nonce after the other, fees raised for what is not mined
fees.py          pure: what a settlement offers, and what more when it is passed over
repository.py    the only SQL about settlements that were sent
offers.py        what a listing asks for over x402, and how unpaid answers say so
extensions.py    `Extensions`: what a 402 says beyond the price
bazaar.py        pure: what an operation takes and gives, from its OpenAPI document
refusals.py      the protocol's words as this API's faults
counter.py       `Counter`: the facilitator for other resource servers
schemas.py       what crosses the wire
endpoints.py     GET /facilitator/supported, POST /facilitator/verify, /facilitator/settle, GET /discovery/resources

The relay settles here in-process; other resource servers over HTTP. Start at model.py.
"""
