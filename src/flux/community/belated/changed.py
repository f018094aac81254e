"""What a reviser is given and gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from flux.kernel.wire.values import encoder

Data = dict[str, Any]
Late = Callable[[int, Data], Awaitable[Any]]
"""The id of the guild or account it is told to, and its data: the data to be told now, or None for nothing."""
Table = Mapping[str, Late]


def plain(value: Any) -> Any:
    """As JSON shows it."""
    return msgspec.json.decode(encoder.encode(value))


def over(data: Data, value: Any) -> Data:
    """What is true now, over what was told beside it."""
    return {**data, **plain(value)}
