from __future__ import annotations

import pytest

from flux.paygate.outside.paths import path_fault, target_of


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [
        ("/..%2fadmin", "encoded_separator"),
        ("/a%2Fb", "encoded_separator"),
        ("/a%5cb", "encoded_separator"),
        ("/a%00b", "illegal_character"),
        ("/a%0d%0ab", "illegal_character"),
        ("/a%7Fb", "illegal_character"),
        ("/a\\b", "illegal_character"),
        ("/a#b", "illegal_character"),
        ("/a\x01b", "illegal_character"),
        ("/a b", "illegal_character"),
        ("/\xfc", "illegal_character"),
        ("/a%zz", "illegal_character"),
        ("/a%", "illegal_character"),
        ("/a%2", "illegal_character"),
        ("/..", "dot_segment"),
        ("/../admin", "dot_segment"),
        ("/a/./b", "dot_segment"),
        ("/%2e%2e/admin", "dot_segment"),
        ("/%2E./admin", "dot_segment"),
        ("/.%2e", "dot_segment"),
        ("/%252e%252e/admin", "dot_segment"),
        ("/%252e%252e%252fadmin", "dot_segment"),
        ("/%25252e%25252e", "dot_segment"),
        ("/..;/admin", "dot_segment"),
        ("/a//b", "illegal_character"),
        ("//evil.example/x", "illegal_character"),
        ("/@evil.example", "illegal_character"),
        ("/:80@evil.example/x", "illegal_character"),
        ("/user:pass@evil.example/x", "illegal_character"),
        ("/" + "a" * 4096, "too_long"),
    ],
)
def test_what_never_reaches_a_target(suffix: str, reason: str) -> None:
    assert path_fault(suffix) == reason


@pytest.mark.parametrize(
    "suffix",
    [
        "",
        "/",
        "/weather",
        "/weather/",
        "/a/b.c/d",
        "/...",
        "/.well-known/x",
        "/a%20b",
        "/%C3%BC",
        "/urn:isbn:1",
        "/a@b",
        "/x%252fy",
        "/a..b",
    ],
)
def test_what_passes(suffix: str) -> None:
    assert path_fault(suffix) is None


def test_targets_are_joined_byte_for_byte() -> None:
    assert target_of("/base", "/a%20b/", "q=%41&r=a+b") == "/base/a%20b/?q=%41&r=a+b"
    assert target_of("", "", "") == "/"
    assert target_of("", "", "q") == "/?q"
    assert target_of("/base", "", "") == "/base"
    assert target_of("", "/x", "q=\xfc#f") == "/x?q=%FC%23f"
