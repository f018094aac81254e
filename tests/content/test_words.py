"""Words: what counts as alike, and cutting text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flux.content.search.lexicon import Vocabulary
from flux.content.search.words import distance, has_phrase
from flux.content.texts import folded, words

LETTERS = st.text("abc", max_size=7)


def reference(one: str, other: str) -> int:
    """Optimal string alignment, the slow and obvious way."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            if not i or not j:
                table[i][j] = i + j
                continue
            best = min(table[i - 1][j], table[i][j - 1]) + 1
            best = min(best, table[i - 1][j - 1] + (one[i - 1] != other[j - 1]))
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                best = min(best, table[i - 2][j - 2] + 1)
            table[i][j] = best
    return table[-1][-1]


@given(LETTERS, LETTERS, st.integers(0, 3))
def test_distance_is_the_reference_up_to_its_bound(one: str, other: str, most: int) -> None:
    assert distance(one, other, most) == min(reference(one, other), most + 1)


@given(LETTERS.filter(bool), st.lists(LETTERS.filter(bool), max_size=6), st.floats(0, 1))
def test_alike_is_what_the_threshold_says(word: str, vocabulary: list[str], threshold: float) -> None:
    found = Vocabulary(vocabulary).alike(word, threshold)
    for other in vocabulary:
        edits, longer = reference(word, other), max(len(word), len(other))
        wanted = edits <= 2 and edits <= (1 - threshold) * longer + 1e-9
        assert (other in found) is wanted
        if wanted:
            assert found[other] == 1 - edits / longer


def test_a_transposition_is_one_edit() -> None:
    assert distance("recieve", "receive", 2) == 1


def test_words_ignore_case_accents_and_punctuation() -> None:
    assert words("Crème brûlée, STRASSE & Straße_2!") == ["creme", "brulee", "strasse", "strasse", "2"]
    assert words("東京タワー abc") == ["東", "京", "タ", "ワ", "ー", "abc"]


def test_folding_is_full_unicode() -> None:
    assert folded("Straße") == folded("STRASSE") == "strasse"
    assert folded("ﬁn") == "fin"


def test_phrases_are_words_side_by_side() -> None:
    positions = {"big": [0, 7], "red": [1, 9], "dog": [2]}
    assert has_phrase(["big", "red", "dog"], positions)
    assert not has_phrase(["red", "big"], positions)
    assert not has_phrase(["big", "cat"], positions)
