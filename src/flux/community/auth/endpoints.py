"""Registration, login, sessions and the links in mails."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.auth import tokens
from flux.community.auth.admission import Origin
from flux.community.auth.login import LoginService
from flux.community.auth.recovery import Recovery
from flux.community.auth.register import RegisterService
from flux.community.auth.schemas import (
    EmailRevert,
    Forgot,
    Issued,
    Login,
    MfaRequired,
    Poll,
    PollQuery,
    Register,
    Reset,
    SessionsLogout,
    SessionView,
    SudoProof,
    Ticket,
    TokenBody,
)
from flux.community.auth.sessions import SessionService
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.captcha.service import CaptchaService
from flux.community.principals import ANYBODY, HUMAN, HUMAN_LENIENT, OPEN
from flux.kernel.wire import Call, Routes

routes = Routes(tag="auth")
CAPTCHA = (faults.CAPTCHA_REQUIRED, faults.INVALID_CAPTCHA, faults.BAD_GATEWAY)
REFUSALS = (
    faults.UNKNOWN_USER,
    faults.ACCOUNT_SUSPENDED_TEMPORARILY,
    faults.ACCOUNT_SUSPENDED_PERMANENTLY,
    faults.ACCOUNT_DISABLED,
    faults.ACCOUNT_SCHEDULED_FOR_DELETION,
)


def origin(call: Call) -> Origin:
    return Origin(call.client_ip, call.header("user-agent"), call.header("x-fluxer-platform"))


async def _captcha(call: Call) -> None:
    await call.use(CaptchaService).demand(
        call.header("x-captcha-token"), call.header("x-captcha-type"), call.client_ip
    )


@routes.post("/auth/register", auth=OPEN, bucket=buckets.REGISTER, raises=CAPTCHA)
async def register(call: Call, body: Register) -> Issued:
    """Create an account and log in to it."""
    await _captcha(call)
    return await call.use(RegisterService).register(body, origin(call))


@routes.post(
    "/auth/login",
    auth=OPEN,
    bucket=buckets.LOGIN,
    raises=[*CAPTCHA, *REFUSALS, faults.IP_AUTHORIZATION_REQUIRED],
)
async def login(call: Call, body: Login) -> Issued | MfaRequired:
    """Log in with e-mail and password; an account with a second factor gets a ticket for it."""
    await _captcha(call)
    return await call.use(LoginService).login(body, origin(call))


@routes.post("/auth/logout", auth=HUMAN_LENIENT, bucket=buckets.LOGOUT)
async def logout(call: Call) -> None:
    """End the session this call was made with."""
    await call.use(SessionService).end(call.principal.user.id, [call.principal.session])


@routes.get("/auth/sessions", auth=HUMAN, bucket=buckets.SESSIONS)
async def list_sessions(call: Call) -> list[SessionView]:
    """Your sessions, most recently used first."""
    return await call.use(SessionService).listing(call.principal.user.id, call.principal.session)


@routes.post("/auth/sessions/logout", auth=HUMAN, bucket=buckets.LOGOUT, raises=SUDO)
async def end_sessions(call: Call, body: SessionsLogout) -> None:
    """End some of your sessions."""
    await call.use(SudoService).prove_call(call, body)
    hashes = [found for each in body.session_id_hashes if (found := tokens.from_id_hash(each)) is not None]
    await call.use(SessionService).end(call.principal.user.id, hashes)


@routes.post("/auth/verify", auth=OPEN, bucket=buckets.MAIL_TOKEN)
async def verify(call: Call, body: TokenBody) -> None:
    """Verify an e-mail address with the token from the mail."""
    await call.use(RegisterService).verify(body.token)


@routes.post("/auth/verify/resend", auth=HUMAN_LENIENT, bucket=buckets.MAIL_TOKEN)
async def resend(call: Call) -> None:
    """Send the verification mail again."""
    await call.use(RegisterService).resend(call.principal.user)


@routes.post("/auth/forgot", auth=OPEN, bucket=buckets.AUTHORIZE_ADDRESS, raises=CAPTCHA)
async def forgot(call: Call, body: Forgot) -> None:
    """Ask for a password-reset mail. Unknown addresses get the same answer."""
    await _captcha(call)
    await call.use(Recovery).forgot(body.email)


@routes.post("/auth/reset", auth=OPEN, bucket=buckets.MAIL_TOKEN, raises=REFUSALS)
async def reset(call: Call, body: Reset) -> Issued | MfaRequired:
    """Choose a new password with the token from the mail; every other session ends."""
    return await call.use(Recovery).reset(body.token, body.password, origin(call))


@routes.post("/auth/email-revert", auth=OPEN, bucket=buckets.MAIL_TOKEN, raises=REFUSALS)
async def revert_email(call: Call, body: EmailRevert) -> Issued | MfaRequired:
    """Take an e-mail address back with the token that was sent to it; choose a new password."""
    return await call.use(Recovery).revert(body.token, body.password, origin(call))


@routes.post("/auth/authorize-ip", auth=OPEN, bucket=buckets.AUTHORIZE_ADDRESS)
async def authorize_address(call: Call, body: TokenBody) -> None:
    """Allow the address a login came from, with the token from the mail."""
    await call.use(LoginService).authorize(body.token)


@routes.post(
    "/auth/ip-authorization/resend",
    auth=OPEN,
    bucket=buckets.AUTHORIZE_ADDRESS,
    raises=[
        faults.IP_AUTHORIZATION_RESEND_COOLDOWN,
        faults.IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED,
        faults.UNKNOWN_USER,
    ],
)
async def resend_address(call: Call, body: Ticket) -> None:
    """Send the authorization mail again: once, and not within thirty seconds."""
    await call.use(LoginService).resend(body.ticket)


@routes.delete("/users/@me/authorized-ips", auth=ANYBODY, bucket=buckets.AUTHORIZE_ADDRESS, raises=SUDO)
async def forget_addresses(call: Call, body: SudoProof = SudoProof()) -> None:
    """Forget the addresses you have logged in from, but for those of your live sessions."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(LoginService).forget_addresses(call.principal.user)


@routes.get("/auth/ip-authorization/poll", auth=OPEN, bucket=buckets.SESSIONS, raises=REFUSALS)
async def poll_address(call: Call, query: PollQuery) -> Poll:
    """Whether the link in the mail was opened; if so, the session."""
    return await call.use(LoginService).poll(query.ticket, origin(call))


@routes.post("/auth/sso/start", auth=OPEN, raises=[faults.NOT_IMPLEMENTED])
async def sso_start(call: Call) -> None:
    """Single sign-on is not switched on at this instance."""
    raise faults.NOT_IMPLEMENTED()
