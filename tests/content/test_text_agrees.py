"""Text search against a naive evaluation of it, on both databases: random documents over few words, random queries."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from flux.content.texts import words
from tests.content.world import World, a_field, name
from tests.harness.server import Server

WORDS = ("cat", "cats", "car", "card", "dog", "fog", "mouse", "house", "horse", "straße", "a", "東")
FIELDS = ("title", "body", "tags")


@dataclass(frozen=True)
class Made:
    world: World
    at: str
    documents: dict[str, dict[str, Any]]


def _text(chance: random.Random, most: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(most + 1)))


def _document(chance: random.Random) -> dict[str, Any]:
    return {
        "title": _text(chance, 4),
        "body": _text(chance, 12),
        "tags": [_text(chance, 2) for _ in range(chance.randrange(4))],
    }


@pytest.fixture(scope="module")
async def made(server: Server) -> Made:
    """Written in one batch; then some of them anew, some taken away."""
    chance = random.Random(5)
    world = await World.make(server)
    fields = [
        a_field("title", searchable=True),
        a_field("body", "text", searchable=True),
        a_field("tags", multiple=True, searchable=True),
    ]
    folder = await world.collection("texts", fields)
    prefix = name("texts")
    await world.api(prefix, [folder], is_auth_required=False)
    keys = [f"doc{number:09d}" for number in range(60)]
    documents = {key: _document(chance) for key in keys}
    items = [{"key": key, "published": data} for key, data in documents.items()]
    await world.make_one(f"/folders/{folder}/resources/batch/", {"items": items})
    changed = {key: _document(chance) for key in keys[::5]}
    items = [{"key": key, "published": data} for key, data in changed.items()]
    await world.make_one(f"/folders/{folder}/resources/batch/", {"items": items})
    for key in keys[3::9]:
        await world.make_one(f"/folders/{folder}/resources/{key}/", method="DELETE")
    shown = {key: data for key, data in {**documents, **changed}.items() if key not in keys[3::9]}
    return Made(world, f"/content/flux/{world.env}/{prefix}/texts/_search", shown)


def _values(data: dict[str, Any], path: str) -> list[list[str]]:
    found = data[path]
    return [words(one) for one in (found if isinstance(found, list) else [found])]


def _distance(one: str, other: str) -> int:
    table = [[max(i, j) if not i * j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            best = min(table[i - 1][j], table[i][j - 1]) + 1
            best = min(best, table[i - 1][j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                best = min(best, table[i - 2][j - 2] + 1)
            table[i][j] = best
    return table[-1][-1]


def _alike(asked: str, word: str, threshold: float) -> float:
    edits, longer = _distance(asked, word), max(len(asked), len(word))
    return 1 - edits / longer if edits <= 2 and edits <= (1 - threshold) * longer + 1e-9 else 0.0


def _has_phrase(data: dict[str, Any], path: str, asked: list[str]) -> bool:
    size = len(asked)
    return any(
        value[at : at + size] == asked for value in _values(data, path) for at in range(len(value) - size + 1)
    )


def naive(
    documents: dict[str, dict[str, Any]],
    asked: list[str],
    threshold: float,
    fields: tuple[str, ...],
    *,
    phrase: bool,
) -> list[str]:
    """Keys by BM25, k1 1.2, b 0.75; of each word asked for and each field the best likeness counts."""
    counts = {
        (key, path): Counter(word for value in _values(data, path) for word in value)
        for key, data in documents.items()
        for path in fields
    }
    scores: dict[str, float] = {}
    for key, data in documents.items():
        here = [path for path in fields if not phrase or _has_phrase(data, path, asked)]
        total = 0.0
        for word in dict.fromkeys(asked):
            best = {path: _best(counts, key, path, word, threshold) for path in here}
            if not any(best.values()):
                break
            total += sum(best.values())
        else:
            scores[key] = total
    return sorted(scores, key=lambda key: (-round(scores[key], 9), key))


def _best(
    counts: dict[tuple[str, str], Counter[str]], key: str, path: str, asked: str, threshold: float
) -> float:
    lengths = [sum(one.values()) for (_, other), one in counts.items() if other == path and one]
    norm = 1.2 * (0.25 + 0.75 * sum(counts[key, path].values()) / (sum(lengths) / len(lengths)))
    best = 0.0
    for word, count in counts[key, path].items():
        if likeness := _alike(asked, word, threshold):
            having = sum(bool(one[word]) for (_, other), one in counts.items() if other == path)
            rarity = math.log(1 + (len(lengths) - having + 0.5) / (having + 0.5))
            best = max(best, likeness * rarity * count * 2.2 / (count + norm))
    return best


@pytest.mark.parametrize("seed", range(40))
async def test_text_search_agrees_with_a_naive_evaluation(made: Made, seed: int) -> None:
    chance = random.Random(seed)
    asked = [chance.choice(WORDS) for _ in range(chance.randrange(1, 4))]
    fields = tuple(sorted(chance.sample(FIELDS, chance.randrange(1, 4))))
    phrase, threshold = chance.random() < 0.4, chance.choice((0.0, 0.5, 0.7, 0.8, 1.0))
    query: dict[str, Any] = {"query": " ".join(asked), "fields": list(fields)}
    body = {"find_phrase": query} if phrase else {"find_text": {**query, "threshold": threshold}}
    answer = await made.world.http.post(made.at, json={**body, "limit": 100})
    assert answer.status_code == 200, answer.text
    found = [one["_sys"]["key"] for one in answer.json()["results"]]
    wanted = naive(
        made.documents, words(" ".join(asked)), 1.0 if phrase else threshold, fields, phrase=phrase
    )
    assert found == wanted, (body, found, wanted)
