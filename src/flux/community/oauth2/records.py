"""Applications and grants as the database holds them."""

from __future__ import annotations

import msgspec
from msgspec import Struct

SCOPES = frozenset({"identify", "email", "guilds", "connections", "bot", "admin"})

APPLICATION_COLUMNS = (
    "a.id, a.owner_id, a.bot_user_id, a.name, a.description, a.icon, a.redirect_uris, a.bot_public, "
    "a.bot_require_code_grant, a.secret_hash, a.bot_token_hash"
)


class ApplicationRow(Struct, frozen=True):
    id: int
    owner_id: int
    bot_user_id: int
    name: str
    description: str | None
    icon: str | None
    redirect_uris: bytes
    bot_public: int
    bot_require_code_grant: int
    secret_hash: bytes
    bot_token_hash: bytes

    @property
    def uris(self) -> list[str]:
        return msgspec.json.decode(self.redirect_uris, type=list[str])


class GrantRow(Struct, frozen=True):
    """An access token, by what it may do."""

    application_id: int
    user_id: int
    scopes: str
    created_at: int
    expires_at: int

    @property
    def scope_set(self) -> frozenset[str]:
        return frozenset(self.scopes.split())


class CodeRow(Struct, frozen=True):
    application_id: int
    user_id: int
    redirect_uri: str
    scopes: str
    expires_at: int
