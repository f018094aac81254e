from __future__ import annotations

import pytest

from flux.paygate.listings.templates import BadTemplate, Operations, normalised


@pytest.mark.parametrize(
    ("written", "template"),
    [
        ("/", "/"),
        ("/users/:id", "/users/{id}"),
        ("/users/{id}", "/users/{id}"),
        ("/users/{id}/", "/users/{id}"),
        ("/files/{name}.json", "/files/{name}.json"),
        ("/a%20b/:x_1", "/a%20b/{x_1}"),
    ],
)
def test_templates_are_written_in_braces(written: str, template: str) -> None:
    assert normalised(written) == template


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("weather", "bad_template"),
        ("", "bad_template"),
        ("/a//b", "bad_template"),
        ("/{id}/{id}", "bad_template"),
        ("/{id", "bad_template"),
        ("/id}", "bad_template"),
        ("/{}", "bad_template"),
        ("/we ather\\", "illegal_character"),
        ("/a?b", "illegal_character"),
        ("/a#b", "illegal_character"),
        ("/a%zz", "illegal_character"),
        ("/a%00", "illegal_character"),
        ("/ü", "illegal_character"),
        ("/../x", "dot_segment"),
        ("/%2e%2E/x", "dot_segment"),
        ("/a%2fb", "encoded_separator"),
        ("/a%5Cb", "encoded_separator"),
        ("/" + "a" * 1000, "too_long"),
    ],
)
def test_bad_templates(written: str, reason: str) -> None:
    with pytest.raises(BadTemplate) as refused:
        normalised(written)
    assert str(refused.value) == reason


def operations(*names: str) -> Operations[str]:
    return Operations((*name.split(" "), name) for name in names)  # type: ignore[misc]


def test_literals_beat_parameters() -> None:
    found = operations("GET /users/{id}", "GET /users/me", "GET /users/{id}.json", "GET /{a}/{b}")
    assert found.find("GET", "/users/me") == "GET /users/me"
    assert found.find("GET", "/users/7") == "GET /users/{id}"
    assert found.find("GET", "/users/7.json") == "GET /users/{id}.json"
    assert found.find("GET", "/other/7") == "GET /{a}/{b}"
    assert found.find("GET", "/users") is None
    assert found.find("POST", "/users/me") is None


def test_a_parameter_takes_one_whole_segment() -> None:
    found = operations("GET /users/{id}")
    assert found.find("GET", "/users/") is None
    assert found.find("GET", "/users/a/b") is None
    assert found.find("GET", "/users/a%20b") == "GET /users/{id}"
    assert found.find("GET", "/users/7/") == "GET /users/{id}"


def test_encoded_literals_are_the_same_literal() -> None:
    found = operations("GET /weather", "GET /a%20b", "GET /")
    assert found.find("GET", "/we%61ther") == "GET /weather"
    assert found.find("GET", "/a%20b") == "GET /a%20b"
    assert found.find("GET", "/") == "GET /"
    assert found.find("GET", "/Weather") is None


def test_head_means_get_unless_declared() -> None:
    assert operations("GET /x").find("HEAD", "/x") == "GET /x"
    assert operations("GET /x", "HEAD /x").find("HEAD", "/x") == "HEAD /x"
    assert operations("POST /x").find("HEAD", "/x") is None


def test_the_first_of_equal_templates_wins() -> None:
    found = Operations([("GET", "/u/{id}", "own"), ("GET", "/u/{name}", "document")])
    assert found.find("GET", "/u/1") == "own"
    assert found.names == ["GET /u/{id}"]
