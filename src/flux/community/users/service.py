"""Finding, making and changing accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Any

import msgspec

from flux.community import faults
from flux.community.announcing import Announcer
from flux.community.envelope import invalid
from flux.community.inputs import encode, filled
from flux.community.users import privacy, repository, rules, statuses
from flux.community.users.records import NewAccount, UserCard, UserRow
from flux.community.users.schemas import (
    SettingsUpdate,
    UserPartial,
    UserPrivate,
    UserSettings,
)
from flux.kernel.store import Clock, Database, Reader, Snowflakes, Transaction, UniqueViolation
from flux.kernel.wire.values import encoder

STATUS_SETTINGS = ("status", "status_resets_at", "status_resets_to", "custom_status")


class UserService:
    def __init__(self, db: Database, clock: Clock, ids: Snowflakes, announcer: Announcer) -> None:
        self._db = db
        self._clock = clock
        self._ids = ids
        self._announcer = announcer
        self._cards = repository.remembered_cards(db)
        self._holders = repository.remembered_holders(db)

    async def find(self, user_id: int, reader: Reader | None = None) -> UserRow | None:
        return await repository.find(reader or self._db, user_id)

    async def require(self, user_id: int, reader: Reader | None = None) -> UserRow:
        """Raises UNKNOWN_USER."""
        row = await repository.find(reader or self._db, user_id)
        if row is None:
            raise faults.UNKNOWN_USER()
        return row

    async def find_many(self, user_ids: Iterable[int], reader: Reader | None = None) -> dict[int, UserRow]:
        return await repository.find_many(reader or self._db, user_ids)

    async def cards(self, user_ids: Collection[int]) -> dict[int, bytes]:
        """Those that exist as others see them: the JSON of a `UserPartial`, by id."""
        known, turn = self._cards, self._cards.turn
        found = {each: card for each in user_ids if (card := known.get(each)) is not None}
        missing = [each for each in user_ids if each not in found]
        if missing:
            for user_id, row in (await self.shown(missing)).items():
                card = found[user_id] = encoder.encode(UserPartial.of(row))
                known.put(user_id, card, turn)
        return found

    async def shown(self, user_ids: Iterable[int], reader: Reader | None = None) -> dict[int, UserCard]:
        """The same, not encoded: what `find_many` finds, without what others do not see."""
        return {row.id: row for row in await repository.cards(reader or self._db, user_ids)}

    async def by_email(self, email: str) -> UserRow | None:
        return await repository.find_by_email(self._db, rules.folded(email))

    async def by_session(self, token_hash: bytes) -> UserRow | None:
        found = self._holders.get(token_hash)
        if found is None:
            turn = self._holders.turn
            found = await repository.find_by_session(self._db, token_hash)
            if found is not None:
                self._holders.put(token_hash, found, turn)
        return found

    async def by_tag(self, username: str, discriminator: int) -> UserRow | None:
        return await repository.find_by_tag(self._db, rules.folded(username), discriminator)

    async def phone_holder(self, phone: str) -> int | None:
        """Whose number it is, in E.164 form."""
        return await repository.phone_holder(self._db, phone)

    async def anybody_here(self, reader: Reader) -> bool:
        return await repository.anybody_here(reader)

    def private(self, row: UserRow, *, email: bool = True) -> UserPrivate:
        return UserPrivate.of(row, adult=rules.is_adult(row.date_of_birth, self._clock.now_ms()), email=email)

    # -- making -----------------------------------------------------------------------------------------------

    async def create(self, tx: Transaction, new: NewAccount, user_id: int | None = None) -> UserRow:
        """A new account in the caller's unit. Raises `UniqueViolation` when another one was faster to the address or
        tag, and a validation failure when the username has no discriminator left."""
        folded = rules.folded(new.username)
        discriminator = rules.free_discriminator(await repository.taken_discriminators(tx, folded))
        if discriminator is None:
            raise invalid("username", "Too many people have this username.", "USERNAME_EXHAUSTED")
        now = self._clock.now_ms()
        user_id = self._ids.next() if user_id is None else user_id
        values: dict[str, Any] = {
            "id": user_id,
            "username": new.username,
            "username_folded": folded,
            "discriminator": discriminator,
            "global_name": new.global_name,
            "email": new.email,
            "email_folded": None if new.email is None else rules.folded(new.email),
            "password_hash": new.password_hash,
            "password_changed_at": now if new.password_hash else None,
            "date_of_birth": new.date_of_birth,
            "bot": int(new.bot),
            "flags": 0,
            "acls": encode(new.acls) if new.acls else None,
            "avatar_color": rules.shown_color(user_id),
            "last_address": new.address,
            "created_at": now,
        }
        await repository.insert(tx, values)
        return await self.require(user_id, tx)

    # -- changing ---------------------------------------------------------------------------------------------

    async def set(self, tx: Transaction, user_id: int, **values: Any) -> UserRow:
        """Set columns in the caller's unit and tell the account's sessions. Raises `UniqueViolation`."""
        await repository.update(tx, user_id, values)
        row = await repository.find(tx, user_id)
        if row is None:
            raise faults.UNKNOWN_USER()
        self._announcer.user(tx, user_id, "USER_UPDATE", self.private(row))
        return row

    async def change_profile(
        self,
        user: UserRow,
        values: dict[str, Any],
        also: Callable[[Transaction], Awaitable[dict[str, Any]]],
        then: Callable[[Transaction, UserRow], Awaitable[None]],
    ) -> UserRow:
        """Columns by name, and those that `also` finds in the same unit; `then` ends it. Raises TAG_ALREADY_TAKEN, a validation failure
        when the address is in use, and what `also` raises."""
        if "username" in values:
            values["username_folded"] = rules.folded(values["username"])
        if "email" in values:
            values["email_verified"] = 0

        async def work(tx: Transaction) -> UserRow:
            columns = {**values, **await also(tx)}
            if "email" in columns:
                columns["email_folded"] = rules.folded(columns["email"])
            if "username_folded" in columns and "discriminator" not in columns:
                taken = await repository.taken_discriminators(tx, columns["username_folded"])
                if user.discriminator in taken and columns["username_folded"] != rules.folded(user.username):
                    free = rules.free_discriminator(taken)
                    if free is None:
                        raise faults.TAG_ALREADY_TAKEN()
                    columns["discriminator"] = free
            changed = await self.set(tx, user.id, **columns)
            await then(tx, changed)
            return changed

        try:
            return await self._db.transact(work)
        except UniqueViolation as taken:
            if "email" in taken.constraint:
                raise invalid(
                    "email", "This e-mail address is already in use.", "EMAIL_ALREADY_IN_USE"
                ) from None
            raise faults.TAG_ALREADY_TAKEN() from None

    async def remember_address(self, tx: Transaction, user_id: int, address: str) -> None:
        """Where the account was last seen, quietly."""
        await repository.update(tx, user_id, {"last_address": address})

    async def lock(self, tx: Transaction, user_id: int) -> None:
        """Until the caller's unit ends, others that ask for the same account wait."""
        await repository.lock(tx, user_id)

    async def lock_all(self, tx: Transaction, user_ids: Iterable[int]) -> None:
        """The same for several, in one order everywhere: none waits for one that waits for it. Whoever counts what
        belongs to them next sees what this unit did."""
        for user_id in sorted(set(user_ids)):
            await repository.lock(tx, user_id)

    # -- second factors: each is decided by the database, so that two at once cannot both have it -------------

    async def set_totp(self, tx: Transaction, user_id: int, sealed: bytes) -> bool:
        """False when the account has a secret already."""
        return await repository.set_totp(tx, user_id, sealed)

    async def spend_totp_step(self, tx: Transaction, user_id: int, step: int) -> bool:
        """False when a code of that time step or a later one was used before."""
        return await repository.spend_totp_step(tx, user_id, step)

    async def switch_sms_on(self, tx: Transaction, user_id: int) -> bool:
        """False without one-time codes or without a phone."""
        return await repository.switch_sms_on(tx, user_id)

    async def add_passkey(self, tx: Transaction, user_id: int, most: int) -> bool:
        """Take one of `most` places; False when none is left."""
        return await repository.add_passkey(tx, user_id, most)

    async def drop_passkey(self, tx: Transaction, user_id: int) -> None:
        await repository.drop_passkey(tx, user_id)

    async def tell(self, tx: Transaction, user_id: int) -> UserRow:
        """The account's sessions hear what it is like now. Raises UNKNOWN_USER."""
        return await self.set(tx, user_id)

    async def anonymise(self, tx: Transaction, user_id: int, flags: int) -> UserRow:
        """Nothing about a person is left; the row stays for what it is the author of. Raises UNKNOWN_USER."""
        await repository.drop_settings(tx, user_id)
        nothing = dict.fromkeys(
            (
                "global_name", "email", "email_folded", "phone", "password_hash", "date_of_birth", "avatar", "banner",
                "bio", "pronouns", "accent_color", "last_address", "acls", "deletion_at", "banned_until", "withdrawal_at",
            )
        )  # fmt: skip
        return await self.set(
            tx,
            user_id,
            **nothing,
            username="DeletedUser",
            username_folded=f"deleted:{user_id}",
            discriminator=0,
            email_verified=0,
            suspicious_flags=0,
            deletion_by=0,
            disabled_by=0,
            flags=flags,
        )

    # -- settings ---------------------------------------------------------------------------------------------

    async def settings(self, user_id: int, reader: Reader | None = None) -> UserSettings:
        """As they hold now: a status that was for a while may be over."""
        return statuses.settled(await self._settings(user_id, reader or self._db), self._clock.now_ms())

    async def _settings(self, user_id: int, reader: Reader) -> UserSettings:
        encoded = await repository.settings(reader, user_id)
        return UserSettings() if encoded is None else msgspec.json.decode(encoded, type=UserSettings)

    async def settle_status(self, user_id: int) -> None:
        """Put an end to a status that is over, and tell; nothing happens when somebody did so already."""

        async def work(tx: Transaction) -> None:
            await repository.lock(tx, user_id)
            before, now = await self._settings(user_id, tx), await self.settings(user_id, tx)
            if before != now:
                await self._keep_settings(tx, user_id, before, now)

        await self._db.transact(work)

    async def change_settings(
        self, user_id: int, body: SettingsUpdate, *, animated: bool = False
    ) -> UserSettings:
        """What was sent over what there is; two changes at once each build on the other. `animated`: the emoji of the
        custom status that was sent is."""
        sent = msgspec.to_builtins(filled(body), enc_hook=str)
        if sent.get("custom_status") is not None:
            sent["custom_status"]["emoji_animated"] = animated

        async def work(tx: Transaction) -> UserSettings:
            await repository.lock(tx, user_id)
            current = msgspec.to_builtins(await self.settings(user_id, tx))
            merged = msgspec.convert({**current, **sent}, UserSettings)
            await self._keep_settings(tx, user_id, msgspec.convert(current, UserSettings), merged)
            return merged

        return await self._db.transact(work)

    async def entered_guild(self, tx: Transaction, user_id: int, guild_id: int) -> None:
        """In the caller's unit, which has the account's turn."""
        before = await self.settings(user_id, tx)
        if before != (now := privacy.entered(before, guild_id)):
            await self._keep_settings(tx, user_id, before, now)

    async def left_guild(self, tx: Transaction, user_id: int, guild_id: int) -> None:
        """The same."""
        await repository.lock(tx, user_id)
        before = await self.settings(user_id, tx)
        if before != (now := privacy.left(before, guild_id)):
            await self._keep_settings(tx, user_id, before, now)

    async def _keep_settings(
        self, tx: Transaction, user_id: int, before: UserSettings, now: UserSettings
    ) -> None:
        """USER_SETTINGS_UPDATE; the hub hears of another status, which holds for every session."""
        await repository.put_settings(tx, user_id, encode(now))
        self._announcer.user(tx, user_id, "USER_SETTINGS_UPDATE", now)
        chosen = {name: getattr(now, name) for name in STATUS_SETTINGS}
        if chosen != {name: getattr(before, name) for name in STATUS_SETTINGS}:
            told = {"settings": now, "status": now.status != before.status}
            self._announcer.control(tx, user_id, "STATUS_CHOSEN", told)
