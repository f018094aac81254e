"""What a client asked not to get, or to get together: at identify, by `ignored_events` and a flag."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flux.community.realtime.protocol import Frame
from flux.kernel.store import Clock

GATHER_REACTIONS = 2
"""The bit of identify's `flags`."""
GATHER_SECONDS = 0.65
MOST_IGNORED = 100
ADDED = "MESSAGE_REACTION_ADD"
TOGETHER = "MESSAGE_REACTION_ADD_MANY"
LATER = frozenset(
    {
        "MESSAGE_REACTION_REMOVE", "MESSAGE_REACTION_REMOVE_EMOJI", "MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_DELETE",
        "MESSAGE_DELETE_BULK",
    }
)  # fmt: skip
"""They come after the reactions that were added before them."""
_OF_MESSAGE = ("channel_id", "message_id", "guild_id")


class Sieve:
    """Of one session; most have none. `push` is the session's own, for what was held back."""

    def __init__(
        self, ignored: Iterable[str], *, gather: bool, clock: Clock, push: Callable[[Frame], None]
    ) -> None:
        self._ignored = frozenset(name.upper() for name in list(ignored)[:MOST_IGNORED])
        self._gather = gather and ADDED not in self._ignored
        self._clock = clock
        self._push = push
        self._gathered: dict[str, dict[str, Any]] = {}
        """MESSAGE_REACTION_ADD_MANY in the making, by message."""

    def passes(self, frame: Frame) -> bool:
        """False for a frame that is not to be sent, or not now."""
        if frame.name in self._ignored:
            return False
        if self._gather:
            if frame.name == ADDED:
                self._take(frame.data())
                return False
            if frame.name in LATER:
                self._let_go()
        return True

    def _take(self, reaction: dict[str, Any]) -> None:
        if not self._gathered:
            self._clock.call_later(GATHER_SECONDS, self._let_go)
        where = {name: reaction.pop(name) for name in _OF_MESSAGE if name in reaction}
        self._gathered.setdefault(where["message_id"], {**where, "reactions": []})["reactions"].append(
            reaction
        )

    def _let_go(self) -> None:
        gathered, self._gathered = self._gathered, {}
        for told in gathered.values():
            self._push(Frame.of(TOGETHER, told))
