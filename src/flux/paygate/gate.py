"""What every request passes before its handler: maintenance, path syntax, bans, windows, who is asking.

The order is that of the contract (2.1 and 3.2). Faults a route can answer with because of this, and because of the
wire, are listed by `implied`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.kernel.faults import Fault, FaultError
from flux.kernel.house import House
from flux.kernel.identity import same
from flux.kernel.wire import Call, Cors, Route
from flux.paygate.access.turnstile import Turnstile, window_headers
from flux.paygate.envelope import shown
from flux.paygate.faults import (
    BANNED,
    DATABASE_ERROR,
    ENDPOINT_NOT_FOUND,
    FORBIDDEN,
    INTERNAL_ERROR,
    INVALID_API_ID,
    INVALID_PARAMETER,
    INVALID_REQUEST,
    MISSING_PARAMETER,
    NOT_AUTHENTICATED,
    RATE_LIMIT_EXCEEDED,
    SERVICE_UNAVAILABLE,
    SIMULATION_REFUSED,
)
from flux.paygate.relay.service import Flight
from flux.paygate.scalars import Address, ApiId, CallId, TxHash
from flux.paygate.wallets.endpoints import COOKIE
from flux.paygate.wallets.service import Wallets, csrf_token
from flux.paygate.words import Auth, Wallet

PLACES: dict[str, Any] = {"api_id": ApiId, "call_id": CallId, "tx_hash": TxHash, "address": Address}
PLACE_NAMES = {"call_id": "callId", "tx_hash": "txHash", "address": "address"}
READING = ("GET", "HEAD", "OPTIONS")
LOOPBACK = ("127.0.0.1", "::1")
ALLOWED_HEADERS = (
    "X-Payment-Tx, X-Signature, X-Timestamp, x-flux-payment-tx, x-flux-signature, x-flux-timestamp, X-Payment-Chain, "
    "X-Signature-Version, PAYMENT-SIGNATURE, X-PAYMENT, Access-Control-Expose-Headers, Content-Type, Authorization, "
    "Idempotency-Key, If-Match, If-None-Match, X-CSRF-Token"
)
EXPOSED_HEADERS = (
    "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, X-Call-Id, X-Request-Id, X-Gateway-Error, X-Payment-Status, "
    "X-Payment-Remaining, X-Gateway-Latency-Ms, Idempotent-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, ETag, Location, Link"
)


class Gate:
    def __init__(
        self, house: House, turnstile: Turnstile, wallets: Wallets, flight: Flight, origins: tuple[str, ...]
    ) -> None:
        self._house = house
        self._settings = house.settings.paygate
        self._turnstile = turnstile
        self._wallets = wallets
        self._flight = flight
        self._origins = origins

    async def __call__(self, call: Call) -> None:
        auth = call.route.auth if call.route is not None and call.route.auth is not None else Auth.OPEN
        if auth is Auth.PROBE:
            return
        self._check_open(auth)
        self._check_path(call)
        if auth is Auth.ADMIN and self._house.operator.is_admin_bearer(call.header("authorization")):
            return
        self._check_windows(call, auth)
        if auth is Auth.PAYMENT:
            return
        if auth is Auth.ADMIN:
            raise self._no_admin(call)
        if auth is Auth.FACILITATOR:
            self._check_facilitator(call)
            return
        await self._check_session(call, required=auth is Auth.SESSION)

    def _check_open(self, auth: Auth) -> None:
        retry = self._settings.maintenance_retry_seconds
        if (self._settings.maintenance or "paygate" in self._house.maintenance) and auth is not Auth.ADMIN:
            raise SERVICE_UNAVAILABLE(reason="maintenance", seconds=retry)
        if self._flight.full:
            raise SERVICE_UNAVAILABLE(reason="overload", seconds=retry)

    @staticmethod
    def _check_path(call: Call) -> None:
        for name, text in call.path_params.items():
            kind = PLACES.get(name)
            # What the route has made its value of already is well-formed.
            if kind is None or type(call.values.get(name)) is kind:
                continue
            try:
                kind.from_wire(text)
            except ValueError as error:
                if kind is ApiId:
                    raise INVALID_API_ID(apiId=shown(text), detail={"expected": str(error)}) from None
                detail = {"in": "path", "expected": str(error), "received": shown(text)}
                raise INVALID_PARAMETER(param=PLACE_NAMES[name], detail=detail) from None

    def _check_windows(self, call: Call, auth: Auth) -> None:
        self._turnstile.check_ban("ip", call.client_ip)
        paid = auth is Auth.PAYMENT
        limit = self._settings.gateway_per_minute if paid else self._settings.management_per_minute
        window = "gateway" if paid else "management"
        verdict = self._turnstile.pass_window(window, "ip", call.client_ip, limit)
        if verdict is not None:
            call.reply_headers.update(window_headers(verdict))

    def _no_admin(self, call: Call) -> FaultError:
        if call.header("authorization") is None:
            return NOT_AUTHENTICATED(reason="missing")
        return FORBIDDEN(reason="admin_required")

    def _check_facilitator(self, call: Call) -> None:
        if self._settings.facilitator_open and call.client_ip in LOOPBACK:
            return
        if not self._house.operator.is_admin_bearer(call.header("authorization")):
            raise self._no_admin(call)

    async def _check_session(self, call: Call, *, required: bool) -> None:
        token, from_cookie = _token(call)
        if token is None:
            if required:
                raise NOT_AUTHENTICATED(reason="missing")
            return
        try:
            wallet = await self._wallets.session(token)
        except FaultError as refusal:
            if required or refusal.fault is not NOT_AUTHENTICATED:
                raise
            return
        call.principal = wallet
        if not required:
            return
        call.reply_headers["Cache-Control"] = "no-store"
        self._turnstile.check_ban("wallet", wallet.address)
        if call.method not in READING:
            if from_cookie:
                self._check_origin(call, wallet)
            limit = self._settings.writes_per_minute
            self._turnstile.pass_window("writes", "wallet", wallet.address, limit)

    def _check_origin(self, call: Call, wallet: Wallet) -> None:
        """A browser sends the cookie along with anybody's request; the Origin says whose it is."""
        if call.header("origin") in self._origins:
            return
        given = call.header("x-csrf-token")
        if given is None or not same(given, csrf_token(wallet)):
            raise FORBIDDEN(reason="csrf")

    def cors(self, call: Call) -> Cors | None:
        """Anyone may read and call; writing with a session is for the configured origins."""
        asked = call.header("access-control-request-headers")
        allowed = f"{ALLOWED_HEADERS}, {asked}" if asked else ALLOWED_HEADERS
        method = call.header("access-control-request-method") or call.method
        gateway = call.path.startswith(("/api/v2/gateway/", "/api/v2/x402/"))
        if not gateway and call.header("origin") in self._origins:
            return Cors(
                self._origins, credentials=True, allow_headers=allowed, expose_headers=EXPOSED_HEADERS
            )
        if gateway or method in READING:
            return Cors(allow_headers=allowed, expose_headers=EXPOSED_HEADERS)
        return None


def _token(call: Call) -> tuple[str | None, bool]:
    """The session token, and whether it came as a cookie."""
    scheme, _, token = (call.header("authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip(), False
    cookie = call.cookie(COOKIE)
    return (cookie, True) if cookie else (None, False)


def implied(route: Route) -> Iterable[Fault]:
    """What the gate and the wire can answer on a route beside what the route declares."""
    yield from (INTERNAL_ERROR, SIMULATION_REFUSED, INVALID_REQUEST)
    if route.auth is Auth.PROBE:
        return
    yield from (DATABASE_ERROR, SERVICE_UNAVAILABLE, BANNED, RATE_LIMIT_EXCEEDED)
    if "{api_id}" in route.path:
        yield INVALID_API_ID
    if any(f"{{{name}}}" in route.path for name in PLACE_NAMES):
        yield INVALID_PARAMETER
    hints = getattr(route.handler, "__annotations__", {})
    if "query" in hints or "body" in hints:
        yield from (INVALID_PARAMETER, MISSING_PARAMETER)
    if route.auth is Auth.SESSION:
        yield NOT_AUTHENTICATED
        if route.method not in READING:
            yield FORBIDDEN
    if route.auth in (Auth.ADMIN, Auth.FACILITATOR):
        yield from (NOT_AUTHENTICATED, FORBIDDEN)
    if route.method == "*":
        yield ENDPOINT_NOT_FOUND
