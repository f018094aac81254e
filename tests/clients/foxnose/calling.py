"""Calling the official clients, sync or async, whatever their version."""

from __future__ import annotations

import inspect
import secrets
from typing import Any

from foxnose_sdk.auth import JWTAuth
from foxnose_sdk.errors import FoxnoseAPIError

SENDS_NOTHING = {"close", "aclose"}


class Caller:
    """Calls methods by name on either kind of client and remembers which."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.called: set[str] = set()

    async def __call__(self, method: str, *args: Any, **options: Any) -> Any:
        self.called.add(method)
        result = getattr(self.client, method)(*args, **options)
        return await result if inspect.isawaitable(result) else result

    async def refused(self, method: str, *args: Any, **options: Any) -> FoxnoseAPIError:
        """The error that the call must end with."""
        try:
            answered = await self(method, *args, **options)
        except FoxnoseAPIError as error:
            return error
        raise AssertionError(f"{method} was answered: {answered!r}")

    def offers(self, method: str) -> bool:
        """Whether this version of the client has the method."""
        return hasattr(self.client, method)

    def missed(self) -> set[str]:
        methods = {
            name for name, _ in inspect.getmembers(type(self.client), inspect.isfunction) if name[0] != "_"
        }
        return methods - self.called - SENDS_NOTHING

    async def close(self) -> None:
        await self("aclose" if hasattr(self.client, "aclose") else "close")


def a_name(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(4)}"


def management_client(kind: type, origin: str, content: dict[str, Any], auth: Any = None) -> Any:
    return kind(
        base_url=f"{origin}/content",
        environment_key=content["environment"],
        auth=auth or JWTAuth.from_static_token(content["management_token"]),
    )


def flux_client(kind: type, origin: str, content: dict[str, Any], prefix: str, auth: Any) -> Any:
    url = f"{origin}/content/flux/{content['environment']}"
    return kind(base_url=url, api_prefix=prefix, auth=auth)
