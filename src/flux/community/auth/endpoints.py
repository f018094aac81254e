"""Registration, login, sessions and the links in mails."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.auth import tokens
from flux.community.auth.captcha import CaptchaService
from flux.community.auth.login import LoginService
from flux.community.auth.register import Origin, RegisterService
from flux.community.auth.schemas import (
    Forgot,
    Issued,
    Login,
    Poll,
    PollQuery,
    Register,
    Reset,
    SessionsLogout,
    SessionView,
    SudoMethods,
    TokenBody,
)
from flux.community.auth.sessions import SessionService
from flux.community.auth.sudo import HEADER, SudoService
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.principals import ANYBODY, HUMAN, HUMAN_LENIENT, OPEN
from flux.kernel.wire import Call, Routes

routes = Routes(tag="auth")
CAPTCHA = (faults.CAPTCHA_REQUIRED, faults.INVALID_CAPTCHA, faults.NOT_IMPLEMENTED, faults.BAD_GATEWAY)
REFUSALS = (
    faults.ACCOUNT_SUSPENDED_TEMPORARILY,
    faults.ACCOUNT_SUSPENDED_PERMANENTLY,
    faults.ACCOUNT_DISABLED,
    faults.ACCOUNT_SCHEDULED_FOR_DELETION,
)


def origin(call: Call) -> Origin:
    return Origin(call.client_ip, call.header("user-agent"), call.header("x-fluxer-platform"))


async def _captcha(call: Call) -> None:
    await call.use(CaptchaService).demand(call.header("x-captcha-token"))


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
async def login(call: Call, body: Login) -> Issued:
    """Log in with e-mail and password."""
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
    user = call.principal.user
    await call.use(SudoService).demand(user, call.header(HEADER.lower()), body.password or None)
    hashes = [found for each in body.session_id_hashes if (found := tokens.from_id_hash(each)) is not None]
    await call.use(SessionService).end(user.id, hashes)


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
    await call.use(RegisterService).forgot(body.email)


@routes.post("/auth/reset", auth=OPEN, bucket=buckets.MAIL_TOKEN)
async def reset(call: Call, body: Reset) -> Issued:
    """Choose a new password with the token from the mail; every other session ends."""
    return await call.use(RegisterService).reset(body.token, body.password, origin(call))


@routes.post("/auth/authorize-ip", auth=OPEN, bucket=buckets.AUTHORIZE_ADDRESS)
async def authorize_address(call: Call, body: TokenBody) -> None:
    """Allow the address a login came from, with the token from the mail."""
    await call.use(LoginService).authorize(body.token)


@routes.get(
    "/auth/ip-authorization/poll", auth=OPEN, bucket=buckets.SESSIONS, raises=[*REFUSALS, faults.UNKNOWN_USER]
)
async def poll_address(call: Call, query: PollQuery) -> Poll:
    """Whether the link in the mail was opened; if so, the session."""
    return await call.use(LoginService).poll(query.ticket, origin(call))


@routes.get("/users/@me/sudo/mfa-methods", auth=ANYBODY)
async def sudo_methods(call: Call) -> SudoMethods:
    """How you can prove who you are."""
    has = call.principal.user.has_mfa
    return SudoMethods(totp=has, sms=False, webauthn=False, has_mfa=has)


@routes.post("/auth/sso/start", auth=OPEN, raises=[faults.NOT_IMPLEMENTED])
async def sso_start(call: Call) -> None:
    """Single sign-on is not switched on at this instance."""
    raise faults.NOT_IMPLEMENTED()
