"""Logging in with a wallet."""

from __future__ import annotations

from flux.kernel.store import iso
from flux.kernel.wire import Body, Call, Reply, Routes
from flux.paygate.bodies import NO_BODY, read_struct
from flux.paygate.faults import (
    INVALID_PARAMETER,
    INVALID_SIGNATURE,
    INVALID_WALLET,
    MISSING_PARAMETER,
    SIGNATURE_EXPIRED,
)
from flux.paygate.signing.accounts import checksummed
from flux.paygate.wallets.schemas import NonceAnswer, NonceRequest, SessionAnswer, VerifyRequest
from flux.paygate.wallets.service import NotALogin, Wallets, csrf_token
from flux.paygate.words import API, OPEN, SESSION, Wallet

routes = Routes(tag="wallets", prefix=API)
COOKIE = "session"


@routes.post("/auth/nonce", auth=OPEN, raises=[INVALID_PARAMETER])
async def make_nonce(call: Call, body: Body[NonceRequest] = NO_BODY) -> NonceAnswer:
    """A nonce to sign in with; given an address, the whole message ready to sign."""
    given = await read_struct(call, NonceRequest, optional=True)
    return await call.use(Wallets).nonce(given.address, given.chain_id)


@routes.post(
    "/auth/verify",
    auth=OPEN,
    raises=[MISSING_PARAMETER, INVALID_PARAMETER, INVALID_SIGNATURE, SIGNATURE_EXPIRED, INVALID_WALLET],
)
async def verify_login(call: Call, body: Body[VerifyRequest]) -> Reply:
    """Open a session with a signed message."""
    given = await read_struct(call, VerifyRequest)
    try:
        wallet, token = await call.use(Wallets).login(given.message, given.signature)
    except NotALogin as error:
        detail = {"in": "body", "expected": str(error), "received": given.message[:100]}
        raise INVALID_PARAMETER(param="message", detail=detail) from None
    answer = SessionAnswer(
        address=checksummed(wallet.address),
        expires_at=iso(wallet.expires_at),
        token=token,
        csrf_token=csrf_token(wallet),
    )
    return Reply(answer, headers={"Set-Cookie": _cookie(call, token), "Cache-Control": "no-store"})


@routes.get("/auth/session", auth=SESSION)
async def show_session(call: Call) -> SessionAnswer:
    """Who is logged in."""
    wallet: Wallet = call.principal
    return SessionAnswer(
        address=checksummed(wallet.address), expires_at=iso(wallet.expires_at), csrf_token=csrf_token(wallet)
    )


@routes.post("/auth/logout", auth=SESSION, status=204)
async def log_out(call: Call) -> Reply:
    """End the session."""
    await call.use(Wallets).logout(call.principal)
    return Reply(None, 204, {"Set-Cookie": f"{COOKIE}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"})


def _cookie(call: Call, token: str) -> str:
    secure = "" if call.scope.get("scheme") == "http" and is_loopback(call) else " Secure;"
    return f"{COOKIE}={token}; HttpOnly;{secure} SameSite=Lax; Path=/"


def is_loopback(call: Call) -> bool:
    return call.client_ip in ("127.0.0.1", "::1")
