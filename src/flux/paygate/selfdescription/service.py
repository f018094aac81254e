"""Both documents, made when they are first asked for."""

from __future__ import annotations

from flux.kernel.wire import Plane
from flux.kernel.wire.openapi import encoded
from flux.kernel.wire.routing import Router

LLMS = """\
# Flux paygate

Sells HTTP API calls. Pay on chain (ETH or USDC), sign, call through the gateway. No registration.

## How to call an API

1. Find one: GET {api}/apis?search=…
2. Ask what a call costs: GET {api}/apis/{{apiId}}/quote?method=GET&path=/…
3. Send that amount to `recipient` on `chain`, wait until it is mined.
4. Sign keccak256(utf8(apiId) + utf8(txHash) + uint256(timestamp)) with personal_sign over the 32 bytes.
5. Call {api}/gateway/{{apiId}}/… with headers X-Payment-Tx, X-Signature, X-Timestamp.

x402 clients need none of this: call {api}/x402/{{apiId}}/… and pay what the 402 answer asks for.

One transaction pays one call. When an answer says `paymentStatus: released`, call again with the same hash and a fresh signature.

## Machine-readable

- This API: {origin}/openapi.json
- One listing: {api}/apis/{{apiId}}/agent-info, /discovery, /openapi
- Chains and tokens: {api}/chains
- Listings that take x402: {api}/discovery/resources
- Every error, and what to do about it: {root}/errors
"""


class SelfDescription:
    def __init__(self, origin: str, api_url: str, root: str) -> None:
        self._origin = origin
        self._api_url = api_url
        self._root = root
        self._document: bytes | None = None

    def openapi(self, plane: Plane) -> bytes:
        if self._document is None:
            self._document = encoded(plane, Router(plane.routes).compiled, self._root)
        return self._document

    def llms(self) -> bytes:
        return LLMS.format(api=self._api_url, origin=self._origin, root=self._root).encode()
