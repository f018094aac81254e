"""Duplicate keys are found wherever they stand: random bodies, judged by the standard library's reader of pairs."""

from __future__ import annotations

import json
import random
from typing import Any

from flux.kernel.wire.bodies import parse_json
from flux.kernel.wire.troubles import Kind, WireTrouble

KEYS = ('"a"', '"b"', '":"', '"\\u003a"', '"\\u0061"', '"c:d"', '"\\\\"')
SCALARS = ("1", "null", "1e5", '"x:y"', '"\\u003A\\u003a"', '"\\\\u003a"')


def body(random_: random.Random, depth: int = 0) -> str:
    kind = random_.random()
    if depth > 3 or kind < 0.4:
        return random_.choice(SCALARS)
    inside = [body(random_, depth + 1) for _ in range(random_.randint(0, 3))]
    if kind < 0.7:
        return "{" + ", ".join(random_.choice(KEYS) + " : " + each for each in inside) + "}"
    return "[" + ",".join(inside) + "]"


def has_duplicates(text: str) -> bool:
    found = False

    def pairs(members: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len(dict(members)) < len(members)

    json.loads(text, object_pairs_hook=pairs)
    return found


def is_refused(text: str) -> bool:
    try:
        parse_json(text.encode(), 64)
    except WireTrouble as trouble:
        assert trouble.kind is Kind.DUPLICATE_KEY
        return True
    return False


def test_exactly_the_bodies_with_a_duplicate_are_refused() -> None:
    random_ = random.Random(7)
    texts = [body(random_) for _ in range(5_000)]
    refused = [text for text in texts if is_refused(text)]
    assert refused == [text for text in texts if has_duplicates(text)]
    assert 200 < len(refused) < 2_000
