"""`/users/@me/email-change` and `/users/@me/password-change`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.account.emails import EmailChange
from flux.community.account.passwords import PasswordChange
from flux.community.account.schemas import (
    ChangeCode,
    ChangeTicket,
    EmailChangeStarted,
    EmailToken,
    NewEmail,
    NewEmailAsked,
    NewEmailCode,
    OriginalProof,
    PasswordChangeStarted,
    PasswordComplete,
    PasswordProof,
)
from flux.community.principals import HUMAN, HUMAN_LENIENT
from flux.kernel.wire import Call, Routes

routes = Routes(tag="users", prefix="/users/@me")


@routes.post("/email-change/start", auth=HUMAN_LENIENT, bucket=buckets.EMAIL_CHANGE_START)
async def start_email(call: Call) -> EmailChangeStarted:
    """Begin to change your e-mail address; a verified one gets a code first."""
    return await call.use(EmailChange).start(call.principal.user)


@routes.post("/email-change/resend-original", auth=HUMAN_LENIENT, bucket=buckets.EMAIL_CHANGE)
async def resend_original(call: Call, body: ChangeTicket) -> None:
    """Send the code to the old address again."""
    await call.use(EmailChange).resend_original(call.principal.user, body.ticket)


@routes.post("/email-change/verify-original", auth=HUMAN_LENIENT, bucket=buckets.EMAIL_CHANGE)
async def verify_original(call: Call, body: ChangeCode) -> OriginalProof:
    """Turn that code into a proof."""
    return OriginalProof(
        await call.use(EmailChange).verify_original(call.principal.user, body.ticket, body.code)
    )


@routes.post("/email-change/request-new", auth=HUMAN_LENIENT, bucket=buckets.EMAIL_CHANGE)
async def request_new(call: Call, body: NewEmail) -> NewEmailAsked:
    """Name the new address; it gets a code."""
    return await call.use(EmailChange).request_new(
        call.principal.user, body.ticket, body.new_email, body.original_proof
    )


@routes.post("/email-change/resend-new", auth=HUMAN_LENIENT, bucket=buckets.EMAIL_CHANGE)
async def resend_new(call: Call, body: ChangeTicket) -> None:
    """Send the code to the new address again."""
    await call.use(EmailChange).resend_new(call.principal.user, body.ticket)


@routes.post("/email-change/verify-new", auth=HUMAN_LENIENT, bucket=buckets.EMAIL_CHANGE)
async def verify_new(call: Call, body: NewEmailCode) -> EmailToken:
    """Turn that code into a token, which `PATCH /users/@me` takes as `email_token`."""
    service = call.use(EmailChange)
    return EmailToken(
        await service.verify_new(call.principal.user, body.ticket, body.code, body.original_proof)
    )


@routes.post("/password-change/start", auth=HUMAN, bucket=buckets.PASSWORD_CHANGE)
async def start_password(call: Call) -> PasswordChangeStarted:
    """Begin to change your password; a code comes by mail."""
    return await call.use(PasswordChange).start(call.principal.user)


@routes.post("/password-change/resend", auth=HUMAN, bucket=buckets.PASSWORD_CHANGE)
async def resend_password(call: Call, body: ChangeTicket) -> None:
    """Send the code again."""
    await call.use(PasswordChange).resend(call.principal.user, body.ticket)


@routes.post("/password-change/verify", auth=HUMAN, bucket=buckets.PASSWORD_CHANGE)
async def verify_password(call: Call, body: ChangeCode) -> PasswordProof:
    """Turn the code into a proof."""
    return PasswordProof(await call.use(PasswordChange).verify(call.principal.user, body.ticket, body.code))


@routes.post(
    "/password-change/complete", auth=HUMAN, bucket=buckets.PASSWORD_CHANGE, raises=[faults.UNKNOWN_USER]
)
async def complete_password(call: Call, body: PasswordComplete) -> None:
    """Choose the new password. Your other sessions end; this one is told its new token by AUTH_SESSION_CHANGE."""
    principal = call.principal
    await call.use(PasswordChange).complete(
        principal.user, body.ticket, body.verification_proof, body.new_password, principal.session
    )
