"""Requests as they were understood: kept by what was asked, within bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from flux.content.delivery.readings import ENTRY_BYTES, LARGEST, Readings
from flux.settings.content import ContentSettings


class Read:
    """Counts how often it is asked; readings are told apart by their number."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Any:
        self.times += 1
        return SimpleNamespace(kept=lambda: self.times)


@pytest.mark.parametrize(("most", "again"), [(0, 8), (3 * ENTRY_BYTES, 5)])
def test_kept_readings_are_bounded(most: int, again: int) -> None:
    settled: Any = SimpleNamespace(content=ContentSettings(reading_cache_bytes=most))
    readings, read = Readings(settled), Read()
    for key in (1, 2, 1, 3, 4, 1, 2, 4):
        readings.of(key, 10, read)
    assert read.times == again


def test_a_large_request_is_not_kept() -> None:
    settled: Any = SimpleNamespace(content=ContentSettings())
    readings, read = Readings(settled), Read()
    for size in (LARGEST + 1, LARGEST + 1, LARGEST, LARGEST):
        readings.of("key", size, read)
    assert read.times == 3
