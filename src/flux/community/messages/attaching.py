"""Which file belongs to which entry of a body, and how it is kept in the message. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from flux.community.envelope import invalid
from flux.community.messages.schemas import AttachmentInput
from flux.community.uploads.naming import clean
from flux.community.uploads.service import Taken

IS_SPOILER = 8
CONTAINS_EXPLICIT_MEDIA = 16
IS_ANIMATED = 32
SPOILER_PREFIX = "SPOILER_"
EXPLICIT = 0.5


def attached(entries: Sequence[AttachmentInput] | None, files: Sequence[Taken], most: int) -> bytes:
    """JSON for the column. Each file has its entry and each entry its file, or it is a validation failure."""
    return _encoded(_new(entries or (), files), most) if entries or files else b"[]"


def reattached(
    kept: bytes, entries: Sequence[AttachmentInput], files: Sequence[Taken], most: int
) -> tuple[bytes, list[int]]:
    """After an edit, and the ids of the files that stay: those that are listed, and the new ones."""
    have: dict[str, dict[str, Any]] = {each["id"]: each for each in msgspec.json.decode(kept)}
    stay = [entry for entry in entries if str(int(entry.id)) in have]
    new = [entry for entry in entries if str(int(entry.id)) not in have]
    old = [_described(have[str(int(entry.id))], entry) for entry in stay]
    shown = [*old, *_new(new, files)]
    return _encoded(shown, most), [int(each["id"]) for each in shown]


def without(kept: bytes, file_id: int) -> tuple[bytes, list[int]]:
    """The column without that file, and the ids that stay."""
    shown = [each for each in msgspec.json.decode(kept) if each["id"] != str(file_id)]
    return msgspec.json.encode(shown), [int(each["id"]) for each in shown]


def _encoded(shown: Sequence[dict[str, Any]], most: int) -> bytes:
    if len(shown) > most:
        raise invalid("attachments", f"At most {most} files.", "LENGTH_INVALID")
    if len({each["id"] for each in shown}) < len(shown):
        raise invalid("attachments", "A file is listed twice.", "DUPLICATE_FILE")
    return msgspec.json.encode(shown)


def _new(entries: Iterable[AttachmentInput], files: Sequence[Taken]) -> list[dict[str, Any]]:
    given = {taken.index: taken for taken in files}
    shown: list[dict[str, Any]] = []
    for entry in entries:
        taken = given.pop(int(entry.id), None)
        if taken is None:
            raise invalid("attachments", f"There is no files[{int(entry.id)}].", "FILE_MISSING")
        shown.append(_described(_fresh(taken, entry), entry))
    if given:
        raise invalid("attachments", f"files[{min(given)}] has no entry here.", "ENTRY_MISSING")
    return shown


def _fresh(taken: Taken, entry: AttachmentInput) -> dict[str, Any]:
    row = taken.row
    name = clean(entry.filename) if entry.filename else row.filename
    flags = IS_ANIMATED if taken.animated else 0
    if name.startswith(SPOILER_PREFIX):
        flags |= IS_SPOILER
    if taken.explicitness >= EXPLICIT:
        flags |= CONTAINS_EXPLICIT_MEDIA
    return {
        "id": str(row.id),
        "filename": name,
        "title": None,
        "description": None,
        "content_type": row.content_type,
        "content_hash": taken.digest,
        "size": row.size,
        "width": row.width,
        "height": row.height,
        "flags": flags,
    }


def _described(shown: dict[str, Any], entry: AttachmentInput) -> dict[str, Any]:
    """With what the sender says about it."""
    for name in ("title", "description", "duration", "waveform"):
        if (value := getattr(entry, name)) is not msgspec.UNSET:
            shown[name] = value
    if isinstance(entry.flags, int):
        shown["flags"] = shown["flags"] & ~IS_SPOILER | entry.flags & IS_SPOILER
    return shown


def named(files: Sequence[Taken], attachments: bytes) -> list[Taken]:
    """The files under the names they have in the message."""
    if not files:
        return []
    names = {each["id"]: each["filename"] for each in msgspec.json.decode(attachments)}
    return [
        msgspec.structs.replace(
            taken, row=msgspec.structs.replace(taken.row, filename=names[str(taken.row.id)])
        )
        for taken in files
    ]
