"""Writing through delivery: a new revision, published at once."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct

from flux.content import faults
from flux.content.delivery.served import Target
from flux.content.resources.rules import Payload, payload
from flux.content.resources.service import Resources, Written


class WriteAnswer(Struct):
    resource_key: str
    revision_key: str
    write_units: int = 1
    published: bool = True


class Writes:
    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def check(self, target: Target, action: str) -> None:
        """The caller's grant was checked at the door. Raises `COLLECTION_NOT_WRITABLE`."""
        if action not in target.served.allowed:
            raise faults.COLLECTION_NOT_WRITABLE()

    async def create(
        self, target: Target, body: dict[str, Any], component: str | None, parent: str | None
    ) -> WriteAnswer:
        """`key` is the external id that keeps a repeated create from making a second resource."""
        sent = _payload({"data": body.get("data"), **_known(body)}, parent)
        written = await self._resources.create(target.served.folder, sent, component, publish=True)
        return _answer(written)

    async def update(self, target: Target, body: dict[str, Any], parent: str | None) -> WriteAnswer:
        """Replaces the data."""
        assert target.key is not None
        written = await self._resources.replace(
            target.served.folder, target.key, _payload({"data": body.get("data")}, None), parent
        )
        return _answer(written)


def _known(body: dict[str, Any]) -> dict[str, Any]:
    return {"external_id": body["key"]} if body.get("key") is not None else {}


def _payload(body: dict[str, Any], parent: str | None) -> Payload:
    sent = payload(body, bare=False)
    return Payload(sent.data, sent.external_id, UNSET, parent if parent is not None else UNSET, UNSET, True)


def _answer(written: Written) -> WriteAnswer:
    return WriteAnswer(written.resource.key, written.revision.key)
