"""Whom a message pings, and what counts as empty: pure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from flux.community.messages import rules
from flux.community.messages.schemas import AllowedMentions, RichEmbed
from flux.kernel.wire import WireTrouble
from flux.kernel.wire.values import decode_hook

TEXT = "<@1> <@!2> <@&3> @everyone <@1> <@x> <@>"


def allowed(**members: Any) -> AllowedMentions:
    return msgspec.convert(members, AllowedMentions, dec_hook=decode_hook)


def test_without_limits_everything_named_is_pinged_once() -> None:
    found = rules.mentions(TEXT, None, may_everyone=True)
    assert (found.users, found.roles, found.everyone) == ([1, 2], [3], True)


def test_everyone_needs_the_permission() -> None:
    assert not rules.mentions("@here", None, may_everyone=False).everyone
    assert rules.mentions("@here", None, may_everyone=True).everyone
    assert not rules.mentions("mail@everyones.example", None, may_everyone=True).everyone


@pytest.mark.parametrize(
    ("limits", "users", "roles", "everyone"),
    [
        ({}, [], [], False),
        ({"parse": ["users"]}, [1, 2], [], False),
        ({"parse": ["roles", "everyone"]}, [], [3], True),
        ({"users": ["2", "9"]}, [2], [], False),
        ({"parse": ["users"], "users": ["2"], "roles": ["3"]}, [1, 2], [3], False),
    ],
)
def test_allowed_mentions(limits: dict[str, Any], users: list[int], roles: list[int], everyone: bool) -> None:
    found = rules.mentions(TEXT, allowed(**limits), may_everyone=True)
    assert (found.users, found.roles, found.everyone) == (users, roles, everyone)


def test_at_most_a_hundred() -> None:
    text = "".join(f"<@{number}>" for number in range(300))
    assert len(rules.mentions(text, None, may_everyone=False).users) == 100


def test_an_embed_with_nothing_but_a_colour_is_empty() -> None:
    assert rules.is_empty_embed(RichEmbed(color=3))
    assert not rules.is_empty_embed(RichEmbed(title="x"))


def test_blocked_words_are_found_in_embeds_whatever_their_case() -> None:
    embeds = msgspec.convert([{"fields": [{"name": "a", "value": "some BAD thing"}]}], list[RichEmbed])
    assert rules.blocked(rules.texts_of("fine", embeds), ["bad thing"])
    assert not rules.blocked(rules.texts_of("fine", embeds), ["worse"])


def test_strings_are_trimmed_before_their_length_counts() -> None:
    embed = msgspec.convert({"footer": {"text": "  kept \x07 "}}, RichEmbed)
    assert embed.footer is not None
    assert embed.footer.text == "kept"
    with pytest.raises(WireTrouble) as trouble:
        msgspec.convert({"footer": {"text": "   "}}, RichEmbed)
    assert trouble.value.problems[0].kind == "too_short"


@pytest.mark.parametrize(
    ("level", "roles", "means"),
    [
        (0, (), False),
        (0, (5,), False),
        (1, (), True),
        (1, (5,), False),
        (2, (), True),
        (2, (5,), True),
    ],
)
def test_whom_the_filter_for_explicit_images_means(level: int, roles: tuple[int, ...], means: bool) -> None:
    standing: Any = SimpleNamespace(guild=SimpleNamespace(explicit_content_filter=level), role_ids=roles)
    assert rules.filters(standing) is means
