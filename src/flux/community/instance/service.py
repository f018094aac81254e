"""The instance's description, made once from the settings."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from flux.community.instance.schemas import GatewayBot, SessionStartLimit, WellKnown
from flux.community.oauth2.records import SCOPES
from flux.settings.community import CommunitySettings

SESSIONS_PER_DAY = 1000


class InstanceService:
    def __init__(self, settings: CommunitySettings, public_url: str, mount: str) -> None:
        self._settings = settings
        self._base = public_url + mount
        socket = self._base.replace("http", "ws", 1)
        self.gateway_url = settings.realtime.public_url or f"{socket}/gateway"

    def gateway_bot(self) -> GatewayBot:
        return GatewayBot(
            self.gateway_url, 1, SessionStartLimit(SESSIONS_PER_DAY, SESSIONS_PER_DAY, 86_400_000, 1)
        )

    def well_known(self) -> WellKnown:
        captcha, base = self._settings.captcha, self._base
        limits = msgspec.to_builtins(self._settings.limits)
        api = f"{base}/v1"
        return WellKnown(
            api_code_version=1,
            endpoints={
                "api": api,
                "api_client": api,
                "api_public": api,
                "gateway": self.gateway_url,
                "media": base,
                "static_cdn": base,
                "marketing": base,
                "admin": f"{api}/admin",
                "invite": f"{base}/invite",
                "gift": f"{base}/gift",
                "webapp": base,
            },
            captcha={
                "provider": "none" if captcha.provider == "off" else captcha.provider,
                "hcaptcha_site_key": captcha.hcaptcha_site_key or None,
                "turnstile_site_key": captcha.turnstile_site_key or None,
            },
            features={
                "sms_mfa_enabled": False,
                "voice_enabled": False,
                "stripe_enabled": False,
                "self_hosted": True,
                "manual_review_enabled": False,
            },
            gif={"provider": "tenor"},
            sso={"enabled": False, "enforced": False, "display_name": None, "redirect_uri": ""},
            limits={
                "version": 2,
                "traitDefinitions": ["premium"],
                "rules": [
                    {
                        "id": "default",
                        "overrides": {key: value for key, value in limits.items() if isinstance(value, int)},
                    }
                ],
                "defaultsHash": sha256(msgspec.json.encode(limits)).hexdigest()[:16],
            },
            push={"public_vapid_key": None},
            app_public={"sentry_dsn": ""},
            oauth2={
                "authorization_endpoint": f"{base}/oauth2/authorize",
                "token_endpoint": f"{api}/oauth2/token",
                "userinfo_endpoint": f"{api}/oauth2/userinfo",
                "scopes_supported": sorted(SCOPES),
            },
        )
