"""The form parser: whatever is sent, in whatever pieces, comes out as it went in, or is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.community.uploads.multipart import BadForm, Multipart, boundary_of

BOUNDARY = b"----x"
NAMES = st.text(
    st.characters(blacklist_characters='"\\\r\n', blacklist_categories=("Cs",)), min_size=1, max_size=20
)
CONTENTS = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r\n", b"--", BOUNDARY, b"\r", b"\n", b"a"])).map(b"".join),
).filter(lambda content: b"\r\n--" + BOUNDARY not in b"\r\n" + content)


def form(parts: list[tuple[str, str | None, bytes]]) -> bytes:
    written = b""
    for name, filename, content in parts:
        more = f'; filename="{filename}"' if filename is not None else ""
        head = f'Content-Disposition: form-data; name="{name}"{more}\r\nContent-Type: text/plain\r\n\r\n'
        written += b"--" + BOUNDARY + b"\r\n" + head.encode() + content + b"\r\n"
    return written + b"--" + BOUNDARY + b"--\r\n"


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def read(data: bytes, size: int = 1000) -> list[tuple[str, str | None, bytes]]:
    found = []
    async for part in Multipart(pieces(data, size), BOUNDARY):
        found.append((part.name, part.filename, b"".join([piece async for piece in part.content])))
    return found


@given(parts=st.lists(st.tuples(NAMES, st.none() | NAMES, CONTENTS), max_size=5), size=st.integers(1, 300))
async def test_parts_come_out_as_they_went_in(parts: list[tuple[str, str | None, bytes]], size: int) -> None:
    assert await read(form(parts), size) == parts


@given(data=st.binary(max_size=400), size=st.integers(1, 50))
async def test_anything_else_is_refused_and_nothing_more(data: bytes, size: int) -> None:
    with pytest.raises(BadForm):
        await read(data, size)


@given(data=st.data())
async def test_a_form_cut_anywhere_is_refused(data: st.DataObject) -> None:
    whole = form([("a", None, b"one"), ("files[0]", "x", b"two\r\n")])
    end = whole.rindex(b"--")
    with pytest.raises(BadForm):
        await read(whole[: data.draw(st.integers(0, end - 1))])


@pytest.mark.parametrize(
    "broken",
    [
        form([("a", None, b"x")] * 65),
        b"--" + BOUNDARY + b"\r\nX: " + b"y" * 10_000,
        b"junk" * 2000,
        b"--" + BOUNDARY + b"junk\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
        b"--" + BOUNDARY + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n--" + BOUNDARY + b"--",
        b"--" + BOUNDARY + b"\r\nContent-Type: a/b\r\n\r\nx\r\n--" + BOUNDARY + b"--",
    ],
)
async def test_hostile_forms_are_refused(broken: bytes) -> None:
    with pytest.raises(BadForm):
        await read(broken)


async def test_a_part_that_is_not_read_is_skipped() -> None:
    names = [
        part.name
        async for part in Multipart(pieces(form([("a", None, b"1" * 999), ("b", None, b"2")]), 7), BOUNDARY)
    ]
    assert names == ["a", "b"]


async def test_a_large_part_passes_in_constant_memory() -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield form([("files[0]", "big", b"")])[: -len(b"\r\n--" + BOUNDARY + b"--\r\n")]
        for _ in range(400):
            yield b"x" * 65_536
        yield b"\r\n--" + BOUNDARY + b"--\r\n"

    tracemalloc.start()
    size = 0
    async for part in Multipart(endless(), BOUNDARY):
        async for piece in part.content:
            size += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 400 * 65_536
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('multipart/form-data; charset=utf-8; boundary="a b"', b"a b"),
        ("multipart/form-data; BOUNDARY=x", b"x"),
    ],
)
def test_boundaries(header: str, boundary: bytes) -> None:
    assert boundary_of(header) == boundary


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "multipart/form-data; boundary=", f"x; boundary={'a' * 71}"]
)
def test_no_boundary_is_refused(header: str) -> None:
    with pytest.raises(BadForm):
        boundary_of(header)
