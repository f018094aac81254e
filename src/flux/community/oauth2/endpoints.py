"""`/oauth2`: applications, consent, tokens."""

from __future__ import annotations

from msgspec import UNSET

from flux.community import buckets, faults
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.oauth2.applications import ApplicationService
from flux.community.oauth2.consent import ConsentService
from flux.community.oauth2.forms import read_form
from flux.community.oauth2.records import SCOPES, ApplicationRow
from flux.community.oauth2.schemas import (
    ApplicationBot,
    ApplicationCreate,
    ApplicationMe,
    ApplicationPublic,
    ApplicationUpdate,
    ApplicationView,
    Authorized,
    BotToken,
    Consent,
    ConsentGiven,
    Introspection,
    TokenView,
    UserInfo,
)
from flux.community.oauth2.tokens import TokenService
from flux.community.principals import ANYBODY, BEARER, BOT, OPEN, bearer
from flux.community.users.records import PUBLIC_FLAGS, UserRow
from flux.community.users.schemas import UserPartial
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="oauth2")
OWN = (faults.UNKNOWN_APPLICATION, faults.FORBIDDEN, faults.UNKNOWN_USER)
CLIENT = (faults.INVALID_CLIENT, faults.INVALID_CLIENT_SECRET)
FORM = {"form": True}


@routes.post(
    "/oauth2/applications",
    auth=ANYBODY,
    bucket=buckets.APPLICATION_WRITE,
    raises=[faults.UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS],
)
async def create_application(call: Call, body: ApplicationCreate) -> ApplicationView:
    """Create an application with a bot. Its secrets are in this answer and never again."""
    return await call.use(ApplicationService).create(call.principal.user, body)


async def _list(call: Call) -> list[ApplicationView]:
    """Your applications."""
    return await call.use(ApplicationService).listing(call.principal.user)


routes.get("/oauth2/applications/@me", auth=ANYBODY)(_list)
routes.get("/users/@me/applications", auth=ANYBODY)(_list)


@routes.get("/oauth2/applications/{application_id}", auth=ANYBODY, raises=OWN)
async def read_application(call: Call, application_id: Snowflake) -> ApplicationView:
    """One of your applications."""
    return await call.use(ApplicationService).read(call.principal.user, application_id)


@routes.patch(
    "/oauth2/applications/{application_id}", auth=ANYBODY, bucket=buckets.APPLICATION_UPDATE, raises=OWN
)
async def update_application(
    call: Call, application_id: Snowflake, body: ApplicationUpdate
) -> ApplicationView:
    """Change one of your applications."""
    return await call.use(ApplicationService).update(call.principal.user, application_id, body)


@routes.delete(
    "/oauth2/applications/{application_id}",
    auth=ANYBODY,
    bucket=buckets.APPLICATION_WRITE,
    raises=[*OWN, *SUDO, faults.USER_OWNS_GUILDS],
)
async def delete_application(call: Call, application_id: Snowflake, body: SudoProof = SudoProof()) -> None:
    """Delete an application; its bot leaves every guild."""
    await call.use(ApplicationService).own(call.principal.user, application_id)
    await _prove(call, body)
    await call.use(ApplicationService).delete(call.principal.user, application_id)


@routes.post(
    "/oauth2/applications/{application_id}/bot/reset-token",
    auth=ANYBODY,
    bucket=buckets.APPLICATION_WRITE,
    raises=[*OWN, *SUDO],
)
async def reset_bot_token(call: Call, application_id: Snowflake, body: SudoProof = SudoProof()) -> BotToken:
    """A new bot token; the old one stops working."""
    await call.use(ApplicationService).own(call.principal.user, application_id)
    await _prove(call, body)
    return await call.use(ApplicationService).reset_token(call.principal.user, application_id)


@routes.post(
    "/oauth2/applications/{application_id}/client-secret/reset",
    auth=ANYBODY,
    bucket=buckets.APPLICATION_WRITE,
    raises=[*OWN, *SUDO],
)
async def reset_client_secret(
    call: Call, application_id: Snowflake, body: SudoProof = SudoProof()
) -> ApplicationView:
    """A new client secret; the old one stops working."""
    await call.use(ApplicationService).own(call.principal.user, application_id)
    await _prove(call, body)
    return await call.use(ApplicationService).reset_secret(call.principal.user, application_id)


@routes.get(
    "/oauth2/applications/{application_id}/public",
    auth=OPEN,
    raises=[faults.UNKNOWN_APPLICATION, faults.UNKNOWN_USER],
)
async def read_public_application(call: Call, application_id: Snowflake) -> ApplicationPublic:
    """What the consent page shows."""
    service = call.use(ApplicationService)
    row = await service.find(application_id)
    if row is None:
        raise faults.UNKNOWN_APPLICATION()
    bot = ApplicationBot.of(await service.bot(row))
    shown = (
        str(row.id),
        row.name,
        row.icon,
        row.description,
        row.uris,
        sorted(SCOPES),
        bool(row.bot_public),
        bot,
    )
    return ApplicationPublic(*shown)


@routes.get("/applications/@me", auth=BOT, raises=[faults.UNKNOWN_APPLICATION])
async def read_own_application(call: Call) -> ApplicationMe:
    """The application of the bot that asks."""
    row = await call.use(ApplicationService).find(call.principal.application_id)
    if row is None:
        raise faults.UNKNOWN_APPLICATION()
    return _me(row, call.principal.user)


@routes.post(
    "/oauth2/authorize/consent",
    auth=ANYBODY,
    bucket=buckets.OAUTH_CONSENT,
    raises=[
        faults.INVALID_CLIENT, faults.INVALID_SCOPE, faults.INVALID_REDIRECT_URI, faults.UNSUPPORTED_RESPONSE_TYPE,
        faults.INVALID_PERMISSIONS_INTEGER, faults.INVALID_PERMISSIONS_NEGATIVE, faults.UNKNOWN_GUILD,
        faults.MISSING_ACCESS, faults.MISSING_PERMISSIONS, faults.TWO_FACTOR_REQUIRED, faults.BOT_IS_PRIVATE,
        faults.BOT_ALREADY_IN_GUILD, faults.MAX_GUILD_ROLES, faults.MAX_GUILD_MEMBERS, faults.UNKNOWN_USER,
    ],
)  # fmt: skip
async def consent(call: Call, body: Consent) -> ConsentGiven:
    """Let an application in; with the scope `bot` and a guild, add its bot there."""
    return await call.use(ConsentService).give(call.principal.user, body)


@routes.post(
    "/oauth2/token",
    auth=OPEN,
    bucket=buckets.OAUTH_TOKEN,
    raises=[*CLIENT, faults.INVALID_GRANT, faults.UNSUPPORTED_GRANT_TYPE],
    **FORM,
)
async def exchange_token(call: Call) -> TokenView:
    """A code or refresh token for an access token (form body, or HTTP Basic for the client)."""
    return await call.use(TokenService).exchange(await read_form(call))


@routes.post("/oauth2/token/revoke", auth=OPEN, bucket=buckets.OAUTH_TOKEN, raises=CLIENT, **FORM)
async def revoke_token(call: Call) -> None:
    """Revoke an access or refresh token."""
    await call.use(TokenService).revoke(await read_form(call))


@routes.post("/oauth2/introspect", auth=OPEN, bucket=buckets.OAUTH_TOKEN, raises=CLIENT, **FORM)
async def introspect_token(call: Call) -> Introspection:
    """Whether an access token is alive, and whose."""
    return await call.use(TokenService).introspect(await read_form(call))


@routes.get("/oauth2/@me", auth=BEARER, raises=[faults.UNKNOWN_APPLICATION])
async def read_authorization(call: Call) -> Authorized:
    """What the bearer token is good for."""
    principal = call.principal
    row = await call.use(ApplicationService).find(principal.application_id)
    if row is None:
        raise faults.UNKNOWN_APPLICATION()
    scopes = sorted(principal.scopes)
    if "identify" not in principal.scopes:
        return Authorized(_me(row, None), scopes, iso(principal.expires_at))
    return Authorized(_me(row, None), scopes, iso(principal.expires_at), UserPartial.of(principal.user))


@routes.get("/oauth2/userinfo", auth=bearer("identify"))
async def read_user_info(call: Call) -> UserInfo:
    """The user behind a bearer token, as OpenID Connect spells it."""
    user: UserRow = call.principal.user
    mail = "email" in call.principal.scopes
    return UserInfo(
        sub=str(user.id),
        id=str(user.id),
        username=user.username,
        discriminator=user.tag,
        global_name=user.global_name,
        avatar=user.avatar,
        flags=user.flags & PUBLIC_FLAGS,
        email=user.email if mail else None,
        verified=bool(user.email_verified) if mail else None,
    )


def _me(row: ApplicationRow, bot: UserRow | None) -> ApplicationMe:
    return ApplicationMe(
        str(row.id),
        row.name,
        row.icon,
        row.description,
        bool(row.bot_public),
        bool(row.bot_require_code_grant),
        0,
        UNSET if bot is None else ApplicationBot.of(bot),
    )


async def _prove(call: Call, body: SudoProof) -> None:
    await call.use(SudoService).prove_call(call, body)
