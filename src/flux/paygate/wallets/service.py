"""Nonces, verified logins, sessions. Only hashes of tokens are stored."""

from __future__ import annotations

from flux.kernel.faults import PortFailure
from flux.kernel.identity import new_token, token_hash
from flux.kernel.store import Clock, Database, Transaction, iso, random_key
from flux.paygate.chains.decoding import Undecodable, data_of
from flux.paygate.chains.service import ChainReader
from flux.paygate.faults import INVALID_PARAMETER, INVALID_SIGNATURE, INVALID_WALLET, NOT_AUTHENTICATED
from flux.paygate.payment.rules import wrong_signer
from flux.paygate.signing.curve import BadSignature, Unrecoverable, parse_signature, personal_digest, recover
from flux.paygate.signing.login import Login, NotALogin, login_message, parse_login
from flux.paygate.wallets import repository
from flux.paygate.wallets.rules import Places, check_times, unknown_nonce
from flux.paygate.wallets.schemas import NonceAnswer
from flux.paygate.words import Wallet
from flux.settings.paygate import PaygateSettings

NONCE_LENGTH = 24
STATEMENT = "Sign in to the API marketplace."
TOUCH_MS = 60_000
MAX_SIGNATURE = 8_192
ENDED_KEPT_MS = 7 * 86_400_000


class Wallets:
    """Sessions slide: each use within the idle time extends them, up to the absolute cap."""

    def __init__(
        self, db: Database, clock: Clock, chains: ChainReader, places: Places, settings: PaygateSettings
    ) -> None:
        self._db = db
        self._clock = clock
        self._chains = chains
        self._places = places
        self._nonce_ms = round(settings.nonce_minutes * 60_000)
        self._idle_ms = round(settings.session_idle_hours * 3_600_000)
        self._cap_ms = round(settings.session_max_days * 86_400_000)

    async def nonce(self, address: str | None, chain_id: int | None) -> NonceAnswer:
        """Raises INVALID_PARAMETER for a chain that no login is accepted on."""
        chains = self._chains.chains
        chain = chains.default if chain_id is None else chains.get(chain_id)
        if chain is None:
            known = ", ".join(str(one.chain_id) for one in chains)
            detail = {
                "in": "body",
                "expected": f"the number of a chain here: {known}",
                "received": str(chain_id),
            }
            raise INVALID_PARAMETER(param="chainId", detail=detail)
        now = self._clock.now_ms()
        nonce, expires_at = random_key(NONCE_LENGTH), now + self._nonce_ms

        async def work(tx: Transaction) -> None:
            await repository.add_nonce(tx, nonce, expires_at)

        await self._db.transact(work)
        message = None
        if address is not None:
            origin = self._places.origins[0]
            domain = origin.partition("://")[2]
            message = login_message(
                domain, origin, address, chain.chain_id, nonce, iso(now), iso(expires_at), STATEMENT
            )
        return NonceAnswer(nonce=nonce, issued_at=iso(now), expires_at=iso(expires_at), message=message)

    async def login(self, message: str, signature: str) -> tuple[Wallet, str]:
        """The session and its token. Raises `NotALogin` for a message that is none, else declared faults."""
        login = parse_login(message)
        self._places.check(login, {chain.chain_id for chain in self._chains.chains})
        await self._burn(login.nonce)
        now = self._clock.now_ms()
        check_times(login, now, self._nonce_ms)
        await self._check_signature(login, message, signature)
        token = new_token()
        hashed = token_hash(token)

        async def work(tx: Transaction) -> None:
            await repository.add_session(tx, hashed, login.address, now)

        await self._db.transact(work)
        return Wallet(login.address, hashed, self._expiry(now, now)), token

    async def _burn(self, nonce: str) -> None:
        """Every attempt that gets here uses the nonce up, whatever comes of it."""

        async def work(tx: Transaction) -> int | None:
            return await repository.burn_nonce(tx, nonce)

        expires_at = await self._db.transact(work)
        now = self._clock.now_ms()
        if expires_at is None or expires_at <= now:
            raise unknown_nonce(now)

    async def _check_signature(self, login: Login, message: str, signature: str) -> None:
        digest = personal_digest(message.encode())
        recovered: str | None = None
        refusal: Exception
        try:
            recovered = recover(parse_signature(signature), digest)
            refusal = wrong_signer(recovered)
        except BadSignature as bad:
            refusal = INVALID_SIGNATURE(reason=bad.reason)
        except Unrecoverable:
            refusal = INVALID_WALLET()
        if recovered != login.address and not await self._contract_agrees(login, digest, signature):
            raise refusal

    async def _contract_agrees(self, login: Login, digest: bytes, signature: str) -> bool:
        """EIP-1271: a wallet that is a contract decides itself. An unreachable chain decides nothing."""
        chain = self._chains.chains.get(login.chain_id)
        if chain is None or not chain.rpc_urls or len(signature) > MAX_SIGNATURE:
            return False
        try:
            raw = data_of(signature)
            return await self._chains.contract_signed(chain, login.address, digest, raw)
        except (Undecodable, PortFailure):
            return False

    async def session(self, token: str) -> Wallet:
        """Raises NOT_AUTHENTICATED with `invalid` or `expired`."""
        hashed = token_hash(token)
        found = await repository.session(self._db, hashed)
        if found is None:
            raise NOT_AUTHENTICATED(reason="invalid")
        address, created_at, seen_at = found
        now = self._clock.now_ms()
        if now >= self._expiry(created_at, seen_at):
            raise NOT_AUTHENTICATED(reason="expired")
        if now - seen_at >= min(TOUCH_MS, self._idle_ms // 10):

            async def work(tx: Transaction) -> None:
                await repository.touch(tx, hashed, now)

            await self._db.transact(work)
            seen_at = now
        return Wallet(address, hashed, self._expiry(created_at, max(seen_at, now)))

    async def logout(self, wallet: Wallet) -> None:
        async def work(tx: Transaction) -> None:
            await repository.end_session(tx, wallet.token_hash)

        await self._db.transact(work)

    async def sweep(self, _: dict[str, object]) -> None:
        """The schedule's: forget nonces and sessions that are over. Idempotent."""
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            # A session that ended is kept for a while, to be told that it expired and not that it never was.
            await repository.sweep(tx, now, now - self._idle_ms - ENDED_KEPT_MS)

        await self._db.transact(work)

    def _expiry(self, created_at: int, seen_at: int) -> int:
        return min(created_at + self._cap_ms, seen_at + self._idle_ms)


def csrf_token(wallet: Wallet) -> str:
    """For cookie writes without an Origin: derived from the session, known only to who reads its answers."""
    return token_hash("csrf." + wallet.token_hash.hex()).hex()


__all__ = ["NotALogin", "Wallets", "csrf_token"]
