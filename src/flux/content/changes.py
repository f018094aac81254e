"""PUT bodies merge: what was not sent keeps its value."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct


def given(body: Struct) -> dict[str, Any]:
    """The members of a body that were sent; booleans as the 0/1 of their columns."""
    sent = {name: getattr(body, name) for name in body.__struct_fields__}
    return {
        name: int(value) if isinstance(value, bool) else value
        for name, value in sent.items()
        if value is not UNSET
    }
