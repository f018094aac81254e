"""One-time codes, backup codes, text messages, and how one can prove oneself."""

from __future__ import annotations

from typing import Any

from flux.community import buckets, faults
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.factors.schemas import BackupCodes
from flux.community.factors.service import FactorService
from flux.community.mfa.schemas import BackupCodesAsk, SudoMethods, TotpDisable, TotpEnable
from flux.community.passkeys.service import PasskeyService
from flux.community.principals import ANYBODY, Auth
from flux.kernel.wire import Call, Routes

routes = Routes(tag="users", prefix="/users/@me")
LENIENT = Auth(lenient=True)
"""An account that owes a proof needs sudo to give it."""


@routes.post("/mfa/totp/enable", auth=ANYBODY, bucket=buckets.TOTP, raises=[*SUDO, faults.UNKNOWN_USER])
async def enable_totp(call: Call, body: TotpEnable) -> BackupCodes:
    """Switch one-time codes on, with a secret of yours and a code that shows it works."""
    await call.use(SudoService).prove_call(call, body)
    return await call.use(FactorService).enable(call.principal.user, body.secret, body.code)


@routes.post(
    "/mfa/totp/disable",
    auth=ANYBODY,
    bucket=buckets.TOTP,
    raises=[*SUDO, faults.TWO_FACTOR_REQUIRED, faults.UNKNOWN_USER],
)
async def disable_totp(call: Call, body: TotpDisable) -> None:
    """Switch one-time codes off, and text messages and backup codes with them."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(FactorService).disable(call.principal.user, body.code)


@routes.post(
    "/mfa/backup-codes",
    auth=ANYBODY,
    bucket=buckets.BACKUP_CODES,
    raises=[*SUDO, faults.TWO_FACTOR_REQUIRED, faults.UNKNOWN_USER],
)
async def backup_codes(call: Call, body: BackupCodesAsk) -> BackupCodes:
    """Your backup codes; with `regenerate` ten new ones, and the old ones die."""
    await call.use(SudoService).prove_call(call, body)
    return await call.use(FactorService).backups(call.principal.user, regenerate=body.regenerate)


@routes.post(
    "/mfa/sms/enable",
    auth=ANYBODY,
    bucket=buckets.TOTP,
    raises=[*SUDO, faults.SMS_MFA_REQUIRES_TOTP, faults.PHONE_REQUIRED_FOR_SMS_MFA, faults.UNKNOWN_USER],
)
async def enable_texts(call: Call, body: SudoProof = SudoProof()) -> None:
    """Take codes by text message as a second factor beside one-time codes."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(FactorService).switch_texts(call.principal.user, on=True)


@routes.post(
    "/mfa/sms/disable",
    auth=ANYBODY,
    bucket=buckets.TOTP,
    raises=[*SUDO, faults.SMS_MFA_NOT_ENABLED, faults.UNKNOWN_USER],
)
async def disable_texts(call: Call, body: SudoProof = SudoProof()) -> None:
    """Take them no more."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(FactorService).switch_texts(call.principal.user, on=False)


@routes.get("/sudo/mfa-methods", auth=LENIENT)
async def sudo_methods(call: Call) -> SudoMethods:
    """How you can prove who you are."""
    user = call.principal.user
    has = user.authenticators
    return SudoMethods(totp=0 in has, sms=1 in has, webauthn=2 in has, has_mfa=user.has_mfa)


@routes.post(
    "/sudo/mfa/sms/send",
    auth=LENIENT,
    bucket=buckets.PHONE_SEND,
    raises=[faults.SMS_MFA_NOT_ENABLED, faults.PHONE_RATE_LIMIT_EXCEEDED],
)
async def send_sudo_text(call: Call) -> None:
    """Send a code for sudo to your phone."""
    await call.use(FactorService).send_text(call.principal.user, "sudo")


@routes.post(
    "/sudo/webauthn/authentication-options",
    auth=LENIENT,
    bucket=buckets.PASSKEY_OPTIONS,
    raises=[faults.PASSKEYS_DISABLED, faults.NO_PASSKEYS_REGISTERED],
)
async def sudo_passkey_options(call: Call) -> dict[str, Any]:
    """What the browser needs to ask for one of your passkeys, for sudo."""
    return await call.use(PasskeyService).options_for(call.principal.user, "sudo")
