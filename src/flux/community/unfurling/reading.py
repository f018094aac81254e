"""From what stands at a link to an embed. No I/O; nothing in a page is trusted to be short, sane or a URL."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from flux.community.media.probe import look
from flux.kernel.outside.fetching import Fetched

HTML = ("text/html", "application/xhtml+xml")
_SPACE = re.compile(r"\s+")
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_COLOR = re.compile(r"#([0-9a-fA-F]{6})")
IS_ANIMATED = 32

Embed = dict[str, Any]


def embed_of(link: str, found: Fetched) -> Embed | None:
    """As on the wire; None for what shows nothing. `link` is the URL in the message."""
    if found.content_type.startswith("image/"):
        return _image(link, found)
    if found.content_type not in HTML:
        return None
    head = _Head()
    head.read(found)
    return _page(link, found.url, head.told)


def _image(link: str, found: Fetched) -> Embed | None:
    picture = look(found.body)
    if picture is None:
        return None
    media = {
        "url": found.url,
        "proxy_url": found.url,
        "content_type": picture.content_type,
        "width": picture.width,
        "height": picture.height,
        "flags": IS_ANIMATED if picture.animated else 0,
    }
    return {"type": "image", "url": link, "thumbnail": media}


def _page(link: str, base: str, told: dict[str, str]) -> Embed | None:
    title = _short(told.get("og:title") or told.get("twitter:title") or told.get("title"), 256)
    description = _short(
        told.get("og:description") or told.get("twitter:description") or told.get("description"), 4096
    )
    thumbnail = _media(
        base, told.get("og:image") or told.get("og:image:url") or told.get("twitter:image"), told
    )
    if title is None and description is None and thumbnail is None:
        return None
    embed: Embed = {"type": "article" if told.get("og:type") == "article" else "link", "url": link}
    if title is not None:
        embed["title"] = title
    if description is not None:
        embed["description"] = description
    if thumbnail is not None:
        embed["thumbnail"] = thumbnail
    provider = _short(told.get("og:site_name"), 256) or urlsplit(base).hostname
    if provider:
        embed["provider"] = {"name": provider}
    if color := _COLOR.fullmatch(told.get("theme-color", "").strip()):
        embed["color"] = int(color[1], 16)
    return embed


def _media(base: str, text: str | None, told: dict[str, str]) -> Embed | None:
    if not text:
        return None
    try:
        url = urljoin(base, text.strip())
    except ValueError:
        return None
    if not url.startswith(("http://", "https://")) or len(url) > 2048 or _SPACE.search(url):
        return None
    media: Embed = {"url": url, "proxy_url": url, "flags": 0}
    for name in ("width", "height"):
        side = told.get(f"og:image:{name}", "")
        if side.isascii() and side.isdigit() and 0 < len(side) < 6:
            media[name] = int(side)
    return media


def _short(text: str | None, most: int) -> str | None:
    plain = _SPACE.sub(" ", _HIDDEN.sub("", text or "")).strip()
    return (plain if len(plain) <= most else plain[: most - 1] + "…") or None


class _Done(Exception):
    """Nothing of interest comes any more."""


class _Head(HTMLParser):
    """The title and the metas of a page, the first of each."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.told: dict[str, str] = {}
        self._in_title = False

    def read(self, found: Fetched) -> None:
        try:
            text = found.body.decode(found.charset, "replace")
        except LookupError:
            text = found.body.decode("utf-8", "replace")
        try:
            self.feed(text)
        except _Done:
            return

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            raise _Done
        self._in_title = tag == "title"
        if tag == "meta":
            given = dict(attributes)
            name = (given.get("property") or given.get("name") or "").strip().lower()
            content = given.get("content")
            if name and content and len(self.told) < 200:
                self.told.setdefault(name, content)

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if tag == "head":
            raise _Done

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.told["title"] = (self.told.get("title", "") + data)[:1024]
