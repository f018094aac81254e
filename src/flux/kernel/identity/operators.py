"""The operator of the instance: whoever holds the admin token of `operator.json`."""

from __future__ import annotations

from dataclasses import dataclass

from flux.kernel.identity.secrets import same, token_hash


@dataclass(frozen=True, slots=True)
class Operator:
    """Only the hash is kept in memory."""

    admin_token_hash: bytes

    def is_admin_token(self, token: str | None) -> bool:
        return token is not None and same(token_hash(token), self.admin_token_hash)

    def is_admin_bearer(self, header: str | None) -> bool:
        """For `Authorization: Bearer <admin_token>`."""
        scheme, _, token = (header or "").partition(" ")
        return scheme.lower() == "bearer" and self.is_admin_token(token.strip() or None)
