"""Who listens to what in this process: one dictionary of patterns, looked up by the subject itself.

A wildcard stands only at the end, so an event needs one lookup for its exact subject, one for its `.*` and one
for each prefix's `.>`; the last two only while somebody uses them.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from flux.kernel.bus.port import Listener

logger = logging.getLogger("flux.bus")

_FORBIDDEN = re.compile(r"[\s*>]")


@lru_cache(maxsize=65_536)
def check_subject(subject: str) -> None:
    """A subject is dotted tokens without blanks or wildcards. Anything else is a bug of the caller.

    Remembered, because it would otherwise cost more than the rest of a local `publish`.
    """
    if (
        _FORBIDDEN.search(subject)
        or not subject
        or subject[0] == "."
        or subject[-1] == "."
        or ".." in subject
    ):
        raise ValueError(f"not a bus subject: {subject!r}")


def _nobody(subject: str, payload: bytes) -> None:
    """What a cancelled listening calls, so that an event being handed round skips it."""


class Listening:
    """One listener on one pattern; a `Subscription`."""

    __slots__ = ("_subjects", "listener", "pattern")

    def __init__(self, subjects: Subjects, pattern: str, listener: Listener) -> None:
        self._subjects = subjects
        self.pattern = pattern
        self.listener = listener

    def cancel(self) -> None:
        if self.listener is not _nobody:
            self.listener = _nobody
            self._subjects.remove(self)


class Topic:
    """The listeners of one pattern. The snapshot lets them come and go while an event is handed round."""

    __slots__ = ("_snapshot", "members")

    def __init__(self) -> None:
        self.members: dict[Listening, None] = {}
        self._snapshot: tuple[Listening, ...] | None = None

    def changed(self) -> None:
        self._snapshot = None

    def tell(self, subject: str, payload: bytes) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            snapshot = self._snapshot = tuple(self.members)
        for listening in snapshot:
            try:
                listening.listener(subject, payload)
            except Exception:
                logger.exception("a listener of %s failed on %s", listening.pattern, subject)


class Subjects:
    """The index."""

    __slots__ = ("_many", "_one", "topics")

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self._one = 0
        self._many = 0

    def add(self, pattern: str, listener: Listener) -> Listening:
        check_subject(pattern[:-2] if pattern.endswith((".*", ".>")) else pattern)
        topic = self.topics.get(pattern)
        if topic is None:
            topic = self.topics[pattern] = Topic()
            self._count(pattern, 1)
        listening = Listening(self, pattern, listener)
        topic.members[listening] = None
        topic.changed()
        return listening

    def remove(self, listening: Listening) -> None:
        topic = self.topics[listening.pattern]
        del topic.members[listening]
        topic.changed()
        if not topic.members:
            del self.topics[listening.pattern]
            self._count(listening.pattern, -1)

    def _count(self, pattern: str, change: int) -> None:
        if pattern.endswith(".*"):
            self._one += change
        elif pattern.endswith(".>"):
            self._many += change

    def tell(self, subject: str, payload: bytes) -> None:
        """Hand the event to everybody whose pattern matches."""
        topics = self.topics
        topic = topics.get(subject)
        if topic is not None:
            topic.tell(subject, payload)
        if self._one or self._many:
            self._tell_wildcards(subject, payload)

    def _tell_wildcards(self, subject: str, payload: bytes) -> None:
        end = subject.rfind(".")
        if self._one and end > 0:
            topic = self.topics.get(subject[:end] + ".*")
            if topic is not None:
                topic.tell(subject, payload)
        while self._many and end > 0:
            topic = self.topics.get(subject[:end] + ".>")
            if topic is not None:
                topic.tell(subject, payload)
            end = subject.rfind(".", 0, end)
