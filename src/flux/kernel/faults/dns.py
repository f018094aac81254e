"""What the sandbox's resolver sees: TXT records an operator puts there, instead of the outside world's.

Whoever resolves names in the sandbox strikes the port `dns` first and then asks here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MAX_NAMES = 10_000


def canonical(name: str) -> str:
    """Names compare without case and without the dot of the root."""
    return name.lower().removesuffix(".")


class SandboxDns:
    """TXT records by name, in this process; bounded, the oldest name goes first."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[str, ...]] = {}

    def put(self, name: str, txt: Sequence[str]) -> None:
        """Replace the records of `name`; none at all makes it a name that does not exist."""
        key = canonical(name)
        self._records.pop(key, None)
        if txt:
            while len(self._records) >= MAX_NAMES:
                del self._records[next(iter(self._records))]
            self._records[key] = tuple(txt)

    def txt(self, name: str) -> list[str]:
        """The records of `name`; empty when there are none."""
        return list(self._records.get(canonical(name), ()))

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every name with its records."""
        return iter(list(self._records.items()))
