"""The frame of every page: one document that loads nothing, under a policy that lets it load nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

from flux.kernel.wire import Raw

STYLE = (Path(__file__).parent / "style.css").read_text("utf-8")
_MARK = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='4' fill='%230f766e'/%3E"
    "%3Cpath d='M5 12V4h6M5 8h5' stroke='white' stroke-width='2' fill='none'/%3E%3C/svg%3E"
)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def page(title: str, body: str, *, script: str = "") -> Raw:
    """`body` is HTML whose values are escaped already."""
    document = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="{_MARK}">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n{body}\n{f'<script>{script}</script>' if script else ''}\n</body>\n</html>\n"
    )
    policy = [
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        "img-src data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    if script:
        policy.append(f"script-src {_hash(script)}")
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Raw(document.encode(), "text/html; charset=utf-8", headers=headers)
