"""Bodies in the forms that other services post, as messages. No I/O.

Whatever is too long is cut, whatever is no URL is left out: the sender is a machine that cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flux.community.messages.schemas import EmbedAuthor, EmbedField, EmbedFooter, EmbedMedia, RichEmbed
from flux.community.webhooks.schemas import Foreign, SlackAttachment, SlackMessage, WebhookMessage

MOST_EMBEDS = 10
COMMITS_SHOWN = 5
_LINK = re.compile(r"<(https?://[^\s|<>]+)\|([^|<>]+)>")
_COLORS = {"good": 0x2EB67D, "warning": 0xECB22E, "danger": 0xE01E5A}
GREEN, RED, PURPLE, GREY = 0x2EA44F, 0xCF222E, 0x8250DF, 0x57606A


def cut(text: object, most: int) -> str | None:
    """At most so many characters; None for nothing."""
    plain = text.strip() if isinstance(text, str) else ""
    return (plain if len(plain) <= most else plain[: most - 1] + "…") or None


def url(text: object) -> str | None:
    return (
        text
        if isinstance(text, str) and text.startswith(("http://", "https://")) and len(text) <= 2048
        else None
    )


def _media(text: object) -> EmbedMedia | None:
    found = url(text)
    return None if found is None else EmbedMedia(found)


def _author(name: object, link: object, icon: object) -> EmbedAuthor | None:
    shown = cut(name, 256)
    return None if shown is None else EmbedAuthor(shown, url(link), url(icon))


def from_slack(body: SlackMessage) -> WebhookMessage:
    """Slack's incoming webhook: text, name, icon, and attachments as embeds."""
    attachments = (body.attachments or [])[:MOST_EMBEDS]
    said = [body.text or "", *(each.pretext or "" for each in attachments)]
    return WebhookMessage(
        content=cut(_links("\n".join(part for part in said if part)), 2000),
        embeds=[_from_attachment(each) for each in attachments],
        username=cut(body.username, 80),
        avatar_url=url(body.icon_url),
    )


def _from_attachment(each: SlackAttachment) -> RichEmbed:
    fields = [
        EmbedField(name, value, field.short)
        for field in (each.fields or [])[:25]
        if (name := cut(field.title, 256)) and (value := cut(field.value, 1024))
    ]
    footer = cut(each.footer, 2048)
    return RichEmbed(
        url=url(each.title_link),
        title=cut(each.title, 256),
        color=_color(each.color),
        timestamp=_time(each.ts),
        description=cut(_links(each.text or (None if each.title else each.fallback)), 4096),
        author=_author(each.author_name, each.author_link, each.author_icon),
        image=_media(each.image_url),
        thumbnail=_media(each.thumb_url),
        footer=None if footer is None else EmbedFooter(footer, url(each.footer_icon)),
        fields=fields or None,
    )


def _links(text: str | None) -> str:
    """`<https://…|name>` as Markdown has it."""
    return _LINK.sub(r"[\2](\1)", text or "")


def _color(text: str | None) -> int | None:
    if text in _COLORS:
        return _COLORS[text]
    digits = (text or "").removeprefix("#")
    try:
        return int(digits, 16) if len(digits) == 6 else None
    except ValueError:
        return None


def _time(seconds: float | str | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def from_github(event: str, body: Foreign) -> WebhookMessage | None:
    """GitHub's events that people want to read; None for the others."""
    make = _EVENTS.get(event)
    told = None if make is None else make(body)
    if told is None:
        return None
    title, link, description, color = told
    shown = RichEmbed(
        title=cut(f"[{_text(body.repository, 'full_name')}] {title}", 256),
        url=url(link),
        description=cut(description, 4096),
        color=color,
        author=_author(body.sender.get("login"), body.sender.get("html_url"), body.sender.get("avatar_url")),
    )
    return WebhookMessage(embeds=[shown], username="GitHub")


Told = tuple[str, object, object, int]


def _text(source: Mapping[str, Any], name: str) -> str:
    found = source.get(name)
    return found if isinstance(found, str) else ""


def _push(body: Foreign) -> Told | None:
    if not body.commits:
        return None
    lines = []
    for commit in body.commits[:COMMITS_SHOWN]:
        first = _text(commit, "message").partition("\n")[0]
        lines.append(f"[`{_text(commit, 'id')[:7]}`]({url(commit.get('url')) or ''}) {first}")
    branch = body.ref.rpartition("/")[2]
    count = len(body.commits)
    return f"{count} new commit{'s' if count > 1 else ''} on {branch}", body.compare, "\n".join(lines), PURPLE


def _issue(body: Foreign) -> Told | None:
    return _numbered("Issue", body.action, body.issue)


def _pull(body: Foreign) -> Told | None:
    action = "merged" if body.action == "closed" and body.pull_request.get("merged") else body.action
    return _numbered("Pull request", action, body.pull_request)


def _numbered(kind: str, action: str, thing: dict[str, Any]) -> Told | None:
    if action not in ("opened", "closed", "reopened", "merged"):
        return None
    color = {"closed": RED, "merged": PURPLE}.get(action, GREEN)
    title = f"{kind} {action}: #{thing.get('number')} {_text(thing, 'title')}"
    return title, thing.get("html_url"), _text(thing, "body") if action == "opened" else "", color


def _comment(body: Foreign) -> Told | None:
    about = body.issue or body.pull_request
    if body.action != "created":
        return None
    title = f"New comment on #{about.get('number')} {_text(about, 'title')}" if about else "New comment"
    return title, body.comment.get("html_url"), _text(body.comment, "body"), GREY


def _review(body: Foreign) -> Told | None:
    if body.action != "submitted":
        return None
    title = f"Review of #{body.pull_request.get('number')}: {_text(body.review, 'state')}"
    return title, body.review.get("html_url"), _text(body.review, "body"), GREY


def _release(body: Foreign) -> Told | None:
    if body.action != "published":
        return None
    name = _text(body.release, "name") or _text(body.release, "tag_name")
    return f"Release published: {name}", body.release.get("html_url"), _text(body.release, "body"), GREEN


def _ref(verb: str) -> Any:
    return lambda body: (f"{body.ref_type} {verb}: {body.ref}", body.repository.get("html_url"), "", GREY)


def _star(body: Foreign) -> Told | None:
    return ("New star", body.repository.get("html_url"), "", GREY) if body.action == "created" else None


_EVENTS = {
    "push": _push,
    "issues": _issue,
    "pull_request": _pull,
    "issue_comment": _comment,
    "commit_comment": _comment,
    "pull_request_review_comment": _comment,
    "pull_request_review": _review,
    "release": _release,
    "create": _ref("created"),
    "delete": _ref("deleted"),
    "fork": lambda body: ("New fork", body.repository.get("html_url"), "", GREY),
    "star": _star,
    "ping": lambda body: ("Ping received", body.repository.get("html_url"), "", GREY),
}


def from_sentry(body: Foreign) -> WebhookMessage | None:
    """Sentry's issue alerts."""
    found = body.data.get("event") or body.data.get("issue") or body.data.get("error")
    event: dict[str, Any] = found if isinstance(found, dict) else {}
    title = cut(_text(event, "title") or body.message, 256)
    if title is None:
        return None
    link = url(event.get("web_url")) or url(event.get("permalink")) or url(body.url)
    shown = RichEmbed(
        title=title,
        url=link,
        description=cut(_text(event, "culprit") or _text(event, "message"), 4096),
        color=RED,
    )
    return WebhookMessage(embeds=[shown], username="Sentry")
