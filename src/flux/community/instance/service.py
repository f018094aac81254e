"""The instance's description, made once from the settings."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from flux.community.captcha.service import CHALLENGE_PATH
from flux.community.instance.schemas import GatewayBot, SessionStartLimit, WellKnown
from flux.community.oauth2.records import SCOPES
from flux.settings.community import CommunitySettings

SESSIONS_PER_DAY = 1000


class InstanceService:
    def __init__(self, settings: CommunitySettings, public_url: str, mount: str, *, texts: bool) -> None:
        self._settings = settings
        self._texts = texts
        self._base = public_url + mount
        socket = self._base.replace("http", "ws", 1)
        self.gateway_url = settings.realtime.public_url or f"{socket}/gateway"

    def gateway_bot(self) -> GatewayBot:
        return GatewayBot(
            self.gateway_url, 1, SessionStartLimit(SESSIONS_PER_DAY, SESSIONS_PER_DAY, 86_400_000, 1)
        )

    def well_known(self) -> WellKnown:
        captcha = self._settings.captcha
        return WellKnown(
            api_code_version=1,
            endpoints=self._endpoints(),
            captcha={
                "provider": "none" if captcha.provider == "off" else captcha.provider,
                "altcha_challenge_url": (
                    f"{self._base}/v1{CHALLENGE_PATH}" if captcha.provider == "altcha" else None
                ),
                "hcaptcha_site_key": captcha.hcaptcha_site_key or None,
                "turnstile_site_key": captcha.turnstile_site_key or None,
            },
            features={
                "sms_mfa_enabled": self._texts,
                "voice_enabled": False,
                "stripe_enabled": False,
                "self_hosted": True,
                "manual_review_enabled": False,
            },
            gif={"provider": "tenor"},
            sso={"enabled": False, "enforced": False, "display_name": None, "redirect_uri": ""},
            limits=self._limits(),
            push={"public_vapid_key": None},
            app_public={"sentry_dsn": ""},
            oauth2={
                "authorization_endpoint": f"{self._base}/oauth2/authorize",
                "token_endpoint": f"{self._base}/v1/oauth2/token",
                "userinfo_endpoint": f"{self._base}/v1/oauth2/userinfo",
                "scopes_supported": sorted(SCOPES),
            },
        )

    def _endpoints(self) -> dict[str, str]:
        base = self._base
        api = f"{base}/v1"
        here = dict.fromkeys(("media", "static_cdn", "marketing", "webapp"), base)
        apis = dict.fromkeys(("api", "api_client", "api_public"), api)
        doors = {"admin": f"{api}/admin", "invite": f"{base}/invite", "gift": f"{base}/gift"}
        return {**apis, "gateway": self.gateway_url, **here, **doors}

    def _limits(self) -> dict[str, Any]:
        limits = msgspec.to_builtins(self._settings.limits)
        numbers = {name: value for name, value in limits.items() if isinstance(value, int)}
        return {
            "version": 2,
            "traitDefinitions": ["premium"],
            "rules": [{"id": "default", "overrides": numbers}],
            "defaultsHash": sha256(msgspec.json.encode(numbers)).hexdigest()[:16],
        }
