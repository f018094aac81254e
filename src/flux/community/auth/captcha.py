"""Proving to be human, where the instance asks for it: `off`, or the sandbox's word `ok`."""

from __future__ import annotations

from flux.community import faults
from flux.kernel.faults import Ports
from flux.settings.community import Captcha


class CaptchaService:
    def __init__(self, settings: Captcha, ports: Ports, *, sandbox: bool) -> None:
        if settings.provider == "sandbox" and not sandbox:
            raise ValueError("community.captcha.provider = sandbox needs --sandbox")
        self._settings = settings
        self._ports = ports

    async def demand(self, token: str | None) -> None:
        """Raises CAPTCHA_REQUIRED, INVALID_CAPTCHA, NOT_IMPLEMENTED."""
        provider = self._settings.provider
        if provider == "off":
            return
        if not token:
            raise faults.CAPTCHA_REQUIRED()
        await self._ports.strike("captcha")
        if provider != "sandbox":
            raise faults.NOT_IMPLEMENTED()
        if token != "ok":  # noqa: S105
            raise faults.INVALID_CAPTCHA()
