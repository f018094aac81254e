"""Which proof the instance asks for, and whether it was given."""

from __future__ import annotations

from flux.community import faults
from flux.community.captcha import altcha, repository
from flux.community.captcha.altcha import Challenge
from flux.community.captcha.siteverify import SiteVerify
from flux.kernel.faults import Ports
from flux.kernel.identity import Vault, new_token, token_hash
from flux.kernel.store import Clock, Database, Transaction, random_key
from flux.settings.community import Captcha

CHALLENGE_PATH = "/auth/captcha/challenge"
SALT_BYTES = 12


class CaptchaService:
    """`ValueError` for settings that cannot work."""

    def __init__(
        self, db: Database, clock: Clock, vault: Vault, settings: Captcha, ports: Ports, *, sandbox: bool
    ) -> None:
        if settings.provider == "sandbox" and not sandbox:
            raise ValueError("community.captcha.provider = sandbox needs --sandbox")
        self._db = db
        self._clock = clock
        self._key = vault.key("community.altcha")
        self._settings = settings
        self._ports = ports
        self._verifiers = _verifiers(settings, ports.deadline_seconds)
        if settings.provider in ("hcaptcha", "turnstile") and settings.provider not in self._verifiers:
            raise ValueError(
                f"community.captcha.provider = {settings.provider} needs {settings.provider}_secret"
            )

    async def demand(self, token: str | None, kind: str | None, address: str) -> None:
        """`kind` names a provider the instance has beside its usual one. Raises CAPTCHA_REQUIRED, INVALID_CAPTCHA."""
        provider = self._settings.provider
        if provider == "off":
            return
        if not token:
            raise faults.CAPTCHA_REQUIRED()
        await self._ports.strike("captcha")
        if not await self._good(provider if provider == "sandbox" else kind or provider, token, address):
            raise faults.INVALID_CAPTCHA()

    async def _good(self, kind: str, token: str, address: str) -> bool:
        if kind == "sandbox":
            return token == "ok"  # noqa: S105
        if kind == "altcha":
            return self._settings.provider == "altcha" and await self._solved(token)
        verifier = self._verifiers.get(kind)
        return verifier is not None and await verifier.good(token, address)

    # -- ALTCHA -----------------------------------------------------------------------------------------------

    def challenge(self) -> Challenge:
        """A fresh one. Raises NOT_IMPLEMENTED where the instance does not use ALTCHA."""
        if self._settings.provider != "altcha":
            raise faults.NOT_IMPLEMENTED()
        most = self._settings.altcha_work
        number = int(random_key(12, "0123456789")) % (most + 1)
        expires = self._clock.now_ms() // 1000 + self._settings.altcha_seconds
        return altcha.make(self._key, new_token(SALT_BYTES), number, most, expires)

    async def _solved(self, token: str) -> bool:
        solution = altcha.read(token)
        if solution is None or not altcha.holds(self._key, solution, self._clock.now_ms() / 1000):
            return False
        # By the challenge, not by the token: one solution can be written in many ways.
        used = token_hash(solution.challenge)
        expires = altcha.expiry(solution) * 1000
        return await self._db.transact(lambda tx: repository.spend(tx, used, expires))

    async def sweep(self, tx: Transaction) -> None:
        """Solutions of challenges that have expired."""
        await repository.sweep(tx, self._clock.now_ms())


def _verifiers(settings: Captcha, seconds: float) -> dict[str, SiteVerify]:
    made = {}
    if settings.hcaptcha_secret:
        made["hcaptcha"] = SiteVerify(
            settings.hcaptcha_url, settings.hcaptcha_secret, settings.hcaptcha_site_key, seconds
        )
    if settings.turnstile_secret:
        made["turnstile"] = SiteVerify(settings.turnstile_url, settings.turnstile_secret, "", seconds)
    return made
