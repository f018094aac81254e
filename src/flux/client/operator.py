"""Reading `operator.json`, which a server writes into its data directory on first start."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import httpx

from flux.client.credentials import Admin, Bearer, SimpleKey


@dataclass(frozen=True, slots=True)
class Operator:
    """Where the planes are and the operator's credential for each."""

    urls: dict[str, str] = field(default_factory=dict)
    credentials: dict[str, httpx.Auth] = field(default_factory=dict)

    def options(self, origin: str | None) -> dict[str, Any]:
        """The arguments for a client, at the file's addresses or below another `origin`."""
        if origin is not None:
            return {"origin": origin, **self.credentials}
        urls = {f"{plane}_url": url for plane, url in self.urls.items()}
        return {"origin": str(httpx.URL(self.urls["community"]).join("/")), **urls, **self.credentials}


def read_operator_file(path: str | PathLike[str]) -> Operator:
    """Raises OSError when it cannot be read, ValueError when it is not an operator file with addresses."""
    held = json.loads(Path(path).read_text("utf-8"))
    try:
        urls = {
            "community": str(held["community"]["api_url"]),
            "content": str(held["content"]["management_url"]),
            "paygate": str(held["paygate"]["api_url"]),
        }
        credentials: dict[str, httpx.Auth] = {
            "community": Admin(held["admin_token"]),
            "paygate": Bearer(held["admin_token"]),
        }
    except (KeyError, TypeError, AttributeError):
        raise ValueError(f"{Path(path)}: no operator file of a server that has started") from None
    content = held["content"]
    if "public_key" in content and "secret_key" in content:
        credentials["content"] = SimpleKey(content["public_key"], content["secret_key"])
    return Operator(urls, credentials)
