"""Who is asking, and the words with which routes say whom they serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from flux.community.users.records import UserRow

ADMIN_KEY_ACLS = frozenset({"*"})


class Principal(Struct, frozen=True):
    """`user` is the account behind the token; None only for the operator's admin key.

    `session` is the hash of a user session's token, `scopes` what an OAuth2 bearer was granted.
    """

    kind: Literal["user", "bot", "bearer", "admin"]
    user: UserRow | None = None
    session: bytes | None = None
    application_id: int | None = None
    scopes: frozenset[str] = frozenset()
    expires_at: int = 0

    @property
    def acls(self) -> frozenset[str]:
        if self.user is None:
            return ADMIN_KEY_ACLS
        return self.user.acl_set


@dataclass(frozen=True, slots=True)
class Auth:
    """Whom a route serves. `scope` opens it to OAuth2 bearers that have it ("" to any bearer); `bearers` alone
    serve only those. `lenient` routes work while an account owes a proof. `acl` is for the admin routes."""

    required: bool = True
    humans: bool = True
    bots: bool = True
    scope: str | None = None
    lenient: bool = False
    acl: str = ""


OPEN = Auth(required=False)
"""Anybody, logged in or not."""
ANYBODY = Auth()
"""Bots and people."""
HUMAN = Auth(bots=False)
HUMAN_LENIENT = Auth(bots=False, lenient=True)
BOT = Auth(humans=False)
BEARER = Auth(humans=False, bots=False, scope="")


def scoped(scope: str, *, lenient: bool = False) -> Auth:
    """Bots, people, and bearers that were granted `scope`."""
    return Auth(scope=scope, lenient=lenient)


def bearer(scope: str) -> Auth:
    """Bearers only, with `scope`."""
    return Auth(humans=False, bots=False, scope=scope)


def admin(acl: str) -> Auth:
    """A session or bearer of an account with `acl`, or an admin key."""
    return Auth(bots=False, scope="admin", acl=acl)
