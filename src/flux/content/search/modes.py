"""Search modes: which parts go together, and what each part means."""

from __future__ import annotations

import math
from typing import Any, Literal

from msgspec import Struct

from flux.content.faults import INVALID_REQUEST
from flux.content.search.plan import Scope
from flux.content.search.problems import Problems

Mode = Literal["text", "vector", "vector_boosted", "hybrid"]
MODES = ("text", "vector", "vector_boosted", "hybrid")
LONGEST_QUERY = 1000
SHORTEST_VECTOR_QUERY = 3
MOST_HITS = 100
DEFAULT_THRESHOLD = 0.8
TEXT_TYPES = ("string", "text")


class TextQuery(Struct, frozen=True):
    """`fields` are the paths that are looked at. `threshold` is the similarity a word must reach."""

    phrase: bool
    query: str
    fields: tuple[str, ...]
    threshold: float


class VectorQuery(Struct, frozen=True):
    """Either `query`, to be embedded, over vectorizable `fields`, or a `vector` for one vector field."""

    query: str | None
    vector: tuple[float, ...] | None
    fields: tuple[str, ...]
    top_k: int
    threshold: float | None


class Boost(Struct, frozen=True):
    factor: float = 1.5
    threshold: float | None = None
    most: int = 20


class Hybrid(Struct, frozen=True):
    vector_weight: float = 0.6
    text_weight: float = 0.4
    rerank: bool = True


class Ranked(Struct, frozen=True):
    mode: Mode
    text: TextQuery | None
    vector: VectorQuery | None
    boost: Boost
    hybrid: Hybrid


def check_modes(body: dict[str, Any]) -> None:
    """Raises `INVALID_REQUEST` for parts that do not go together."""
    mode = body.get("search_mode", "text")
    if mode not in MODES:
        raise INVALID_REQUEST()
    has = {
        name: body.get(name) is not None
        for name in (*_TEXT, *_VECTOR, "vector_boost_config", "hybrid_config")
    }
    texts, vectors = sum(has[name] for name in _TEXT), sum(has[name] for name in _VECTOR)
    if texts > 1 or vectors > 1:
        raise INVALID_REQUEST()
    wrong = {
        "text": vectors or has["vector_boost_config"] or has["hybrid_config"],
        "vector": not vectors or texts or has["vector_boost_config"] or has["hybrid_config"],
        "vector_boosted": not vectors or not texts or has["hybrid_config"],
        "hybrid": not has["vector_search"] or not texts or has["vector_boost_config"],
    }
    if wrong[mode]:
        raise INVALID_REQUEST()


_TEXT = ("find_text", "find_phrase")
_VECTOR = ("vector_search", "vector_field_search")
SECTIONS = frozenset({*_TEXT, *_VECTOR, "vector_boost_config", "hybrid_config"})


def read_ranked(body: dict[str, Any], scope: Scope, problems: Problems) -> Ranked | None:
    """None when neither text nor vectors are asked for."""
    found: dict[str, Any] = {}
    for name in body:
        if name in SECTIONS and body[name] is not None:
            section = body[name]
            if name in (*_TEXT, *_VECTOR):
                problems.needs_schema(scope)
            if not isinstance(section, dict):
                problems.type(name, "object")
                continue
            found[name] = _READERS[name](_Section(name, section, problems), scope)
        elif name in SECTIONS:
            problems.null(name)
    text = found.get("find_text") or found.get("find_phrase")
    vector = found.get("vector_search") or found.get("vector_field_search")
    if text is None and vector is None:
        return None
    return Ranked(
        body.get("search_mode", "text"),
        text,
        vector,
        found.get("vector_boost_config") or Boost(),
        found.get("hybrid_config") or Hybrid(),
    )


class _Section:
    """One object of the body, read member by member; problems name `section.member`."""

    def __init__(self, name: str, value: dict[str, Any], problems: Problems) -> None:
        self.name = name
        self.value = value
        self.problems = problems

    def at(self, member: str) -> str:
        return f"{self.name}.{member}"

    def only(self, *members: str) -> None:
        for member in self.value:
            if member not in members:
                self.problems.surplus(self.at(member))

    def text(self, member: str, shortest: int) -> str | None:
        value = self.value.get(member, self)
        if value is self:
            self.problems.missing(self.at(member))
        elif value is None:
            self.problems.null(self.at(member))
        elif not isinstance(value, str):
            self.problems.type(self.at(member), "string")
        elif len(value.strip()) < shortest:
            self.problems.value(self.at(member), "String too short")
        else:
            return value.strip()[:LONGEST_QUERY]
        return None

    def number(self, member: str, default: Any, low: float, high: float, *, above: bool = False) -> Any:
        """Between both; with `above` greater than `low`. None stays None where that is the default."""
        value = self.value.get(member, default)
        if value is None and default is None:
            return None
        if value is None:
            self.problems.null(self.at(member))
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            self.problems.type(self.at(member), "number")
        elif not low <= value <= high or (above and value <= low):
            self.problems.value(self.at(member), _range(low, high, above=above))
        else:
            return float(value)
        return default

    def count(self, member: str, default: int) -> int:
        """At least 1; what is above the most is the most."""
        value = self.value.get(member, default)
        if value is None:
            self.problems.null(self.at(member))
        elif isinstance(value, bool) or not isinstance(value, int):
            self.problems.type(self.at(member), "integer")
        elif value < 1:
            self.problems.value(self.at(member), "Value must be at least 1")
        else:
            return min(value, MOST_HITS)
        return default

    def paths(self, member: str, scope: Scope, fitting: dict[str, bool], complaint: str) -> tuple[str, ...]:
        """Named fields, or all that fit. `fitting` says of each known field whether it fits."""
        value = self.value.get(member)
        if value is None:
            return tuple(path for path, fits in fitting.items() if fits)
        if isinstance(value, str):
            value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list):
            self.problems.type(self.at(member), "list")
            return ()
        kept = []
        for index, path in enumerate(value):
            if not isinstance(path, str):
                self.problems.type(f"{self.at(member)}.{index}", "string")
            elif path not in fitting:
                self.problems.unknown_field(scope)
            elif not fitting[path]:
                self.problems.value(f"{self.at(member)}.{index}", complaint)
            else:
                kept.append(path)
        return tuple(kept)


def _range(low: float, high: float, *, above: bool) -> str:
    if above:
        return f"Value must be greater than {low:g}"
    return f"Value must be between {low:g} and {high:g}"


def _searchable(scope: Scope) -> dict[str, bool]:
    shape = scope.shape
    return {} if shape is None else {path: one.type in TEXT_TYPES for path, one in shape.searchable.items()}


def _find_text(section: _Section, scope: Scope) -> TextQuery | None:
    section.only("query", "fields", "threshold")
    query = section.text("query", 1)
    fields = section.paths("fields", scope, _searchable(scope), "Field is not a text field")
    threshold = section.number("threshold", DEFAULT_THRESHOLD, 0, 1)
    return None if query is None else TextQuery(False, query, fields, threshold)


def _find_phrase(section: _Section, scope: Scope) -> TextQuery | None:
    section.only("query", "fields")
    query = section.text("query", 1)
    fields = section.paths("fields", scope, _searchable(scope), "Field is not a text field")
    return None if query is None else TextQuery(True, query, fields, 1.0)


def _vector_search(section: _Section, scope: Scope) -> VectorQuery | None:
    section.only("query", "fields", "top_k", "similarity_threshold", "threshold")
    query = section.text("query", SHORTEST_VECTOR_QUERY)
    shape = scope.shape
    open_fields = (
        {}
        if shape is None
        else {
            path: chain[-1].vectorizable
            for path, chain in shape.chains.items()
            if not any(one.private for one in chain)
        }
    )
    if not any(open_fields.values()):
        section.problems.value(section.name, "The folder has no vectorizable field")
        return None
    fields = section.paths("fields", scope, open_fields, "Field is not vectorizable")
    top_k, threshold = section.count("top_k", 10), _threshold(section)
    return None if query is None else VectorQuery(query, None, fields, top_k, threshold)


def _vector_field_search(section: _Section, scope: Scope) -> VectorQuery | None:
    section.only("field", "query_vector", "top_k", "similarity_threshold", "threshold")
    name = section.text("field", 1)
    shape = scope.shape
    chain = shape.chains.get(name) if shape is not None and name is not None else None
    field = chain[-1] if chain and not any(one.private for one in chain) else None
    if name is not None and field is None:
        section.problems.unknown_field(scope)
    elif field is not None and field.type != "vector":
        section.problems.value(section.at("field"), "Field is not a vector field")
        field = None
    vector = _numbers(section, field.meta.get("dimensions") if field is not None else None)
    top_k, threshold = section.count("top_k", 10), _threshold(section)
    if field is None or vector is None:
        return None
    return VectorQuery(None, vector, (field.path,), top_k, threshold)


def _threshold(section: _Section) -> float | None:
    """`threshold` is an older name of `similarity_threshold`."""
    name = "similarity_threshold" if "similarity_threshold" in section.value else "threshold"
    found: float | None = section.number(name, None, 0, 1)
    return found


def _numbers(section: _Section, dimensions: Any) -> tuple[float, ...] | None:
    value = section.value.get("query_vector", section)
    path = section.at("query_vector")
    if value is section:
        section.problems.missing(path)
    elif value is None:
        section.problems.null(path)
    elif not isinstance(value, list):
        section.problems.type(path, "list")
    elif any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in value):
        section.problems.type(path, "list of numbers")
    elif dimensions is not None and len(value) != dimensions:
        section.problems.value(path, f"Expected {dimensions} dimensions, got {len(value)}")
    elif not all(_is_finite(one) for one in value):
        section.problems.value(path, "Numbers must be finite")
    else:
        return tuple(float(one) for one in value)
    return None


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _boost(section: _Section, scope: Scope) -> Boost:
    section.only("boost_factor", "similarity_threshold", "max_boost_results")
    factor = section.number("boost_factor", 1.5, 0, 1e9, above=True)
    return Boost(factor, _threshold(section), section.count("max_boost_results", 20))


def _hybrid(section: _Section, scope: Scope) -> Hybrid:
    section.only("vector_weight", "text_weight", "rerank_results")
    vector = section.number("vector_weight", 0.6, 0, 1)
    text = section.number("text_weight", 0.4, 0, 1)
    if abs(vector + text - 1.0) > 1e-6:
        section.problems.value(section.name, "vector_weight and text_weight must add up to 1")
    rerank = section.value.get("rerank_results", True)
    if not isinstance(rerank, bool):
        section.problems.type(section.at("rerank_results"), "boolean")
    return Hybrid(vector, text, rerank is True)


_READERS: dict[str, Any] = {
    "find_text": _find_text,
    "find_phrase": _find_phrase,
    "vector_search": _vector_search,
    "vector_field_search": _vector_field_search,
    "vector_boost_config": _boost,
    "hybrid_config": _hybrid,
}
