"""A page of history is written straight from its rows: byte for byte what encoding the views of its messages gives."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flux.app import open_house
from flux.community.expressions.emojis import EmojiService
from flux.community.messages import reaction_repository, repository
from flux.community.messages.records import FORWARDS, MessageRow, Reference
from flux.community.messages.views import MessageViews
from flux.community.plane import assemble
from flux.community.users.records import NewAccount
from flux.community.users.service import UserService
from flux.kernel.house import House
from flux.kernel.store import Transaction
from flux.kernel.wire.values import encoder
from flux.operatorfile import OperatorFile
from flux.settings import load_settings

CHANNEL = 77
NOBODY = 5
KEPT = 1 << 20
ALPHABET = "az \"'\\/\n\t\r\b\f\x00\x1f\x7f<>&é中\u2028🦊 100% %b %d {}"
FILES: list[dict[str, Any]] = [
    {"id": "9", "filename": "a b.png", "title": None, "size": 3},
    {"id": "10", "filename": 'q"ü%d.txt', "description": "%b"},
]
EMBEDS = [{"type": "rich", "image": {"url": "attachment://a b.png"}, "description": '100 % "sure"'}]


@dataclass
class World:
    house: House
    users: UserService
    views: MessageViews
    people: list[int]
    dice: random.Random

    def text(self) -> str:
        return "".join(self.dice.choice(ALPHABET) for _ in range(self.dice.randrange(40)))

    def maybe(self, value: Any, otherwise: Any = None) -> Any:
        return value if self.dice.random() < 0.3 else otherwise

    def some(self, *ids: int) -> bytes:
        return msgspec.json.encode(self.dice.sample(ids, self.dice.randrange(len(ids) + 1)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    settings = load_settings(None, {}, {})
    opened = await open_house(settings, tmp_path, "http://127.0.0.1:8080", OperatorFile.open(tmp_path))
    house = opened.house
    services = assemble(house).services
    users: UserService = services[UserService]
    views = MessageViews(users, services[EmojiService], "http://127.0.0.1:8080/community", KEPT)

    async def furnish(tx: Transaction) -> list[int]:
        new = [NewAccount(username=f"u{number}", bot=number == 2) for number in range(4)]
        made = [(await users.create(tx, each)).id for each in new]
        channel = {"id": CHANNEL, "type": 0, "now": 0}
        await tx.run(
            "INSERT INTO community_channels (id, type, created_at) VALUES (:id, :type, :now)", channel
        )
        return made

    seed = random.randrange(1 << 32)
    print("seed", seed)
    try:
        yield World(house, users, views, await house.db.transact(furnish), random.Random(seed))
    finally:
        await opened.close()


def message(world: World, earlier: list[int]) -> MessageRow:
    dice, everybody = world.dice, (*world.people, NOBODY)
    webhook = world.maybe(dice.choice(world.people))
    replied = Reference(CHANNEL, dice.choice([*earlier, 1]), world.maybe(3))
    snapshots: list[dict[str, object]] = [{"content": world.text(), "attachments": [{**FILES[0]}]}]
    forwarded = Reference(CHANNEL, 4, None, FORWARDS, snapshots)
    reference = world.maybe(dice.choice([replied, replied, forwarded]))
    return MessageRow(
        id=world.house.ids.next() - (dice.randrange(1 << 60) if dice.random() < 0.5 else 0),
        channel_id=CHANNEL,
        author_id=webhook or dice.choice(everybody),
        type=dice.choice([0, 6, 19]),
        flags=world.maybe(4, 0),
        content=world.text(),
        tts=dice.randrange(2),
        mention_everyone=dice.randrange(2),
        mentions=world.maybe(world.some(*everybody), b"[]"),
        mention_roles=world.maybe(world.some(1, 2, 1 << 62), b"[]"),
        embeds=world.maybe(msgspec.json.encode(EMBEDS), b"[]"),
        attachments=world.maybe(msgspec.json.encode(FILES), b"[]"),
        reference=None if reference is None else msgspec.json.encode(reference),
        pinned_at=None,
        edited_at=None,
        stickers=world.maybe(b'[{"id":"6","name":"%b","animated":false}]'),
        webhook_id=webhook,
        webhook_name=webhook and world.maybe(world.text()),
        webhook_avatar=webhook and world.maybe("abc"),
    )


async def change(world: World, tx: Transaction, known: list[int]) -> None:
    """Something of what happens to messages and to those who wrote them."""
    dice = world.dice
    which, who, now = dice.choice(known), dice.choice(world.people), world.house.clock.now_ms()
    choice = dice.randrange(8)
    if choice < 2:
        row = message(world, known)
        known.append(row.id)
        await repository.insert(tx, msgspec.structs.asdict(row))
    elif choice == 2:
        await repository.update(tx, which, {"content": world.text(), "edited_at": now})
    elif choice == 3:
        await repository.update(tx, which, {"embeds": msgspec.json.encode(EMBEDS), "flags": 4})
    elif choice == 4:
        await world.users.set(
            tx, who, global_name=world.text(), avatar=world.maybe("face"), flags=1 << 38 | 1
        )
    elif choice == 5:
        await (
            repository.pin(tx, CHANNEL, which, now)
            if dice.random() < 0.7
            else repository.unpin(tx, CHANNEL, which)
        )
    elif choice == 6 and len(known) > 5:
        known.remove(which)
        await repository.delete(tx, CHANNEL, which)
    elif dice.random() < 0.8:
        await reaction_repository.add(tx, which, dice.choice(["🦊", "👍", "123"]), who, now)
    else:
        await reaction_repository.drop_all(tx, which)


async def test_a_page_is_what_its_views_are(world: World) -> None:
    first = message(world, [])
    known = [first.id]
    await world.house.db.transact(lambda tx: repository.insert(tx, msgspec.structs.asdict(first)))
    reacted = False
    for _ in range(150):
        await world.house.db.transact(lambda tx: change(world, tx, known))
        rows = await repository.before(world.house.db, CHANNEL, (1 << 63) - 1, 100)
        for viewer in (0, world.people[1]) * 2:
            views = await world.views.of([MessageRow(*row) for row in rows], world.house.db, viewer)
            assert await world.views.printed(rows, world.house.db, viewer) == encoder.encode(views)
            reacted = reacted or any(view.reactions for view in views)
    assert reacted, "nobody reacted to anything"
