"""`/users/@me/notes`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.community import faults
from flux.community.inputs import Input
from flux.community.notes.service import NoteService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="users", prefix="/users/@me/notes")


class NoteUpdate(Input):
    note: Annotated[str, Meta(max_length=256)] | None = None


class NoteView(Struct, frozen=True):
    note: str


@routes.get("", auth=ANYBODY)
async def list_notes(call: Call) -> dict[str, str]:
    """Your notes, by the id of whom they are about."""
    return await call.use(NoteService).listing(call.principal.user.id)


@routes.get("/{target_id}", auth=ANYBODY, raises=[faults.UNKNOWN_USER])
async def read_note(call: Call, target_id: Snowflake) -> NoteView:
    """Your note about somebody; empty when there is none."""
    return NoteView(await call.use(NoteService).read(call.principal.user.id, target_id))


@routes.put("/{target_id}", auth=ANYBODY, raises=[faults.UNKNOWN_USER])
async def write_note(call: Call, target_id: Snowflake, body: NoteUpdate) -> None:
    """Write a note about somebody; an empty one is none."""
    await call.use(NoteService).write(call.principal.user.id, target_id, body.note or "")
