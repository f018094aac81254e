"""What page and terminal say alike."""

from __future__ import annotations

from http import HTTPStatus

from flux.operator.reference.entries import Entry

RETRY = {
    "never": "Do not repeat it unchanged: the same request fails again.",
    "later": "Try again later, with growing pauses; honour Retry-After where it is sent.",
    "after-fix": "Try again once the condition is cured.",
}
NOWHERE = "Not tied to a route: it is answered before one is found."
EVERYWHERE = "Every route of this plane."


def phrase(status: int) -> str:
    """`Not Found` for 404; `Failure` for numbers HTTP does not name."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Failure"


def proven(entry: Entry) -> str:
    """`2026-02-19 19:34 on GET /x`, or empty without a proof."""
    if entry.proof is None:
        return ""
    when = entry.proof.at[:16].replace("T", " ")
    return f"{when} on {entry.proof.route}" if entry.proof.route else when
