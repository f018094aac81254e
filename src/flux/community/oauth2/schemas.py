"""Applications, consent and tokens on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input, Name
from flux.community.oauth2.records import ApplicationRow
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.kernel.wire import Snowflake

Uri = Annotated[str, Meta(min_length=1, max_length=2048)]
Uris = Annotated[list[Uri], Meta(max_length=10)]


class ApplicationBot(Struct, frozen=True, kw_only=True):
    id: str
    username: str
    discriminator: str
    avatar: str | None
    banner: str | None
    bio: str | None
    flags: int
    token: str | UnsetType = UNSET
    mfa_enabled: bool = False
    authenticator_types: list[int] = []

    @classmethod
    def of(cls, row: UserRow, token: str | None = None) -> ApplicationBot:
        return cls(
            id=str(row.id),
            username=row.username,
            discriminator=row.tag,
            avatar=row.avatar,
            banner=row.banner,
            bio=row.bio,
            flags=row.flags & 0xFFFF,
            token=token or UNSET,
        )


class ApplicationView(Struct, frozen=True, kw_only=True):
    """The secrets are there when they are new, and never again."""

    id: str
    name: str
    redirect_uris: list[str]
    bot_public: bool
    bot_require_code_grant: bool
    client_secret: str | UnsetType = UNSET
    bot: ApplicationBot

    @classmethod
    def of(
        cls, row: ApplicationRow, bot: UserRow, *, secret: str | None = None, token: str | None = None
    ) -> ApplicationView:
        return cls(
            id=str(row.id),
            name=row.name,
            redirect_uris=row.uris,
            bot_public=bool(row.bot_public),
            bot_require_code_grant=bool(row.bot_require_code_grant),
            client_secret=secret or UNSET,
            bot=ApplicationBot.of(bot, token),
        )


class ApplicationPublic(Struct, frozen=True):
    id: str
    name: str
    icon: str | None
    description: str | None
    redirect_uris: list[str]
    scopes: list[str]
    bot_public: bool
    bot: ApplicationBot


class ApplicationMe(Struct, frozen=True):
    id: str
    name: str
    icon: str | None
    description: str | None
    bot_public: bool
    bot_require_code_grant: bool
    flags: int
    bot: ApplicationBot | UnsetType = UNSET


class BotToken(Struct, frozen=True):
    token: str
    bot: ApplicationBot


class ApplicationCreate(Input, kw_only=True):
    name: Name
    redirect_uris: Uris | UnsetType | None = UNSET
    bot_public: bool | UnsetType = UNSET
    bot_require_code_grant: bool | UnsetType = UNSET


class ApplicationUpdate(Input, kw_only=True):
    name: Name | UnsetType = UNSET
    redirect_uris: Uris | UnsetType | None = UNSET
    bot_public: bool | UnsetType = UNSET
    bot_require_code_grant: bool | UnsetType = UNSET


class Consent(Input, kw_only=True):
    client_id: str | int
    scope: str
    response_type: str | UnsetType = UNSET
    redirect_uri: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    permissions: Any = None
    guild_id: Snowflake | UnsetType | None = UNSET


class ConsentGiven(Struct, frozen=True):
    redirect_to: str


class TokenView(Struct, frozen=True):
    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    scope: str


class Introspection(Struct, frozen=True, omit_defaults=True):
    active: bool
    scope: str | None = None
    client_id: str | None = None
    username: str | None = None
    token_type: str | None = None
    exp: int | None = None
    iat: int | None = None
    sub: str | None = None


class UserInfo(Struct, frozen=True, omit_defaults=True):
    sub: str
    id: str
    username: str
    discriminator: str
    global_name: str | None
    avatar: str | None
    flags: int
    email: str | None = None
    verified: bool | None = None


class Authorized(Struct, frozen=True):
    """`/oauth2/@me`: what a bearer token is."""

    application: ApplicationMe
    scopes: list[str]
    expires: str
    user: UserPartial | UnsetType = UNSET


class AuthorizedApplication(Struct, frozen=True):
    id: str
    name: str
    icon: str | None
    description: str | None
    bot_public: bool

    @classmethod
    def of(cls, row: ApplicationRow) -> AuthorizedApplication:
        return cls(str(row.id), row.name, row.icon, row.description, bool(row.bot_public))


class Authorization(Struct, frozen=True, kw_only=True):
    """An application that may act for the account."""

    application: AuthorizedApplication
    scopes: list[str]
    authorized_at: str
