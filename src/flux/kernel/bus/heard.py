"""Which events this process has heard, so that none that is told again is heard twice."""

from __future__ import annotations


class Heard:
    """Two generations of names: the younger one ages when it is full, or when it is told to. What is forgotten counts as new."""

    __slots__ = ("_most", "_old", "_young")

    def __init__(self, most: int) -> None:
        self._most = most
        self._young: set[tuple[str, str]] = set()
        self._old: set[tuple[str, str]] = set()

    def first(self, pattern: str, name: str) -> bool:
        """Whether it comes for the first time to this pattern's listeners."""
        found = (pattern, name)
        if found in self._young or found in self._old:
            return False
        self._young.add(found)
        if len(self._young) >= self._most:
            self.age()
        return True

    def age(self) -> None:
        self._old, self._young = self._young, set()
