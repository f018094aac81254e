"""The paid call: from the consumer's request to the target's answer and back.

asked.py      a request that is understood, and how it is paid
proofs.py     pure: payment headers of a request, in the order of the contract
unpaid.py     `Unpaid`: what a call without a payment is told, made once
direct.py     `Direct`: payment by a transaction and a signature
collecting.py `Collector`: payment by a transfer authorisation (x402)
replaying.py  giving a kept answer again
headers.py    pure: what goes on to the target and back to the consumer
answers.py    pure: is this a valid response, may it be buffered
service.py    `Relay`: the check order, then reserve → send → settle
exchange.py   one call to a target, from the first byte out to the last byte in
endpoints.py  ANY /gateway/{apiId}/…, ANY /x402/{apiId}/…

Start at service.py; it reads like the table of the contract.
"""
