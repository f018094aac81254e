"""Steward: a bot as its author would write it, on the published client and nothing of ours.

`!help` `!about` `!poll question | a | b` `!tally id` `!log [n]` `!export [n]` `!warn @user reason` `!mute @user minutes`
`!unmute @user` `!kick @user` `!ban @user` `!unban id` `!purge n` `!role @user name` `!pin` – and it welcomes those who
join, turns the pages of `!log` when somebody reacts, and keeps the mod log.
"""

# No postponed annotations: the client converts a command's arguments by what they are annotated with.
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import fluxer
from fluxer import Bot, Cog, Embed, File, Message, Permissions
from fluxer.checks import has_permission

PAGE = 5
BACK, FORTH = "◀️", "▶️"
DIGITS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣", "5️⃣")
BLUE, RED = 0x5865F2, 0xED4245
MENTION = re.compile(r"<@!?(\d+)>")


class NotUnderstood(Exception):
    """What was said makes no sense; its text is for the person who said it."""


def who(text: str) -> int:
    """The account a mention or a bare id names."""
    found = MENTION.search(text)
    if found:
        return int(found.group(1))
    if text.strip().isdigit():
        return int(text)
    raise NotUnderstood("Whom do you mean?")


@dataclass
class Book:
    """Something shown page by page in one message."""

    title: str
    lines: list[str]
    page: int = 0

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.lines) // PAGE))

    def turn(self, by: int) -> bool:
        """Whether there was a page to turn to."""
        wanted = self.page + by
        if not 0 <= wanted < self.pages:
            return False
        self.page = wanted
        return True

    def shown(self) -> Embed:
        part = self.lines[self.page * PAGE : (self.page + 1) * PAGE]
        card = Embed(title=self.title, description="\n".join(part) or "Nothing.", color=BLUE)
        return card.set_footer(text=f"page {self.page + 1} of {self.pages}")


@dataclass
class Poll:
    question: str
    answers: list[str]
    message: Message

    def card(self) -> Embed:
        card = Embed(title="Poll", description=self.question, color=BLUE)
        for digit, answer in zip(DIGITS, self.answers, strict=False):
            card.add_field(name=digit, value=answer, inline=False)
        return card


@dataclass
class Ledger:
    """What moderators did, newest last."""

    entries: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.entries.append(text)


class Talk(Cog):
    """Polls, pages and files."""

    def __init__(self, bot: "Steward") -> None:
        super().__init__(bot)
        self.books: dict[int, Book] = {}
        self.polls: dict[int, Poll] = {}

    @Cog.command()
    async def about(self, ctx: Message) -> None:
        me = self.bot.user
        card = Embed(
            title="Steward", description="I keep this place tidy.", color=BLUE, url="https://example.org/"
        )
        card.set_author(name=str(me)).set_footer(text=f"{len(self.bot.guilds)} guilds")
        for name in sorted(self.bot._commands):
            card.add_field(name=f"!{name}", value="a command", inline=True)
        await ctx.reply(embed=card)

    @Cog.command()
    async def poll(self, ctx: Message, *, text: str) -> None:
        question, *answers = [part.strip() for part in text.split("|")]
        if not 2 <= len(answers) <= len(DIGITS):
            raise NotUnderstood("A poll has two to five answers.")
        shown = await ctx.send(content="Vote!")
        poll = self.polls[shown.id] = Poll(question, answers, shown)
        await shown.edit("Vote!", embeds=[poll.card().to_dict()])
        for digit, _ in zip(DIGITS, answers, strict=False):
            await shown.add_reaction(digit)

    @Cog.command()
    async def tally(self, ctx: Message, message_id: int) -> None:
        poll = self.polls.pop(message_id, None)
        if poll is None:
            raise NotUnderstood("There is no such poll.")
        votes = []
        for digit, answer in zip(DIGITS, poll.answers, strict=False):
            voters = await self.voters(poll.message, digit)
            votes.append(f"{answer}: {len(voters)}")
        await poll.message.clear_reactions()
        await ctx.reply("\n".join(votes))

    async def voters(self, message: Message, emoji: str) -> set[int]:
        """Everybody behind a reaction but the bot, page by page."""
        found: set[int] = set()
        last: int | None = None
        while True:
            page = await self.bot._http.get_reaction_users(
                message.channel_id, message.id, emoji, limit=2, after=last
            )
            found |= {int(user["id"]) for user in page}
            if len(page) < 2:
                return found - {self.bot.user.id}
            last = int(page[-1]["id"])

    async def history(self, channel_id: int, most: int) -> list[Message]:
        """The newest messages of a channel, oldest first, however many pages that takes."""
        found: list[Message] = []
        before: int | None = None
        while len(found) < most:
            page = await self.bot._http.get_messages(
                channel_id, limit=min(PAGE, most - len(found)), before=before
            )
            if not page:
                break
            found += [Message.from_data(each, self.bot._http) for each in page]
            before = found[-1].id
        return found[::-1]

    @Cog.command()
    async def log(self, ctx: Message, most: int = 12) -> None:
        lines = [
            f"{each.author.username}: {each.content}" for each in await self.history(ctx.channel_id, most)
        ]
        book = Book("Log", lines)
        shown = await ctx.reply(embed=book.shown())
        self.books[shown.id] = book
        await shown.add_reaction(BACK)
        await shown.add_reaction(FORTH)

    @Cog.command()
    async def export(self, ctx: Message, most: int = 12) -> None:
        lines = [
            f"{each.created_at:%F %T} {each.content}" for each in await self.history(ctx.channel_id, most)
        ]
        paper = File("\n".join(lines).encode(), filename="log.txt")
        await ctx.reply(f"{len(lines)} messages", file=paper)

    @Cog.command()
    async def pin(self, ctx: Message) -> None:
        if ctx.referenced_message is None:
            raise NotUnderstood("Answer the message you mean.")
        target = await self.bot.fetch_message(str(ctx.channel_id), str(ctx.referenced_message.id))
        await target.pin()

    @Cog.listener()
    async def on_raw_reaction_add(self, reaction: Any) -> None:
        book = self.books.get(reaction.message_id)
        if book is None or reaction.user_id == self.bot.user.id:
            return
        if book.turn(1 if reaction.emoji.unicode == FORTH else -1):
            message = await self.bot.fetch_message(str(reaction.channel_id), str(reaction.message_id))
            await message.edit(embeds=[book.shown().to_dict()])
        await self.bot.remove_reaction(
            reaction.channel_id, reaction.message_id, reaction.emoji.unicode, reaction.user_id
        )


class Order(Cog):
    """Moderation. Each verb asks for the permission it needs, and is written down."""

    def __init__(self, bot: "Steward") -> None:
        super().__init__(bot)
        self.ledger = Ledger()
        self.warnings: dict[int, list[str]] = {}

    async def done(self, ctx: Message, text: str) -> None:
        self.ledger.note(text)
        await ctx.reply(embed=Embed(title="Done", description=text, color=RED))

    @Cog.command()
    @has_permission(Permissions.MODERATE_MEMBERS)
    async def warn(self, ctx: Message, *, text: str) -> None:
        target, _, reason = text.partition(" ")
        user = await self.bot.fetch_user(str(who(target)))
        self.warnings.setdefault(user.id, []).append(reason)
        await user.send(f"You were warned: {reason}")
        await self.done(ctx, f"warned {user.username} ({len(self.warnings[user.id])})")

    @Cog.command()
    @has_permission(Permissions.MODERATE_MEMBERS)
    async def mute(self, ctx: Message, target: str, minutes: int) -> None:
        member = await ctx.guild.fetch_member(who(target))
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        await member.timeout(until=until.isoformat(), reason="asked to be quiet")
        await self.done(ctx, f"muted {member.display_name}")

    @Cog.command()
    @has_permission(Permissions.MODERATE_MEMBERS)
    async def unmute(self, ctx: Message, target: str) -> None:
        member = await ctx.guild.fetch_member(who(target))
        await member.timeout(until=None)
        await self.done(ctx, f"unmuted {member.display_name}")

    @Cog.command()
    @has_permission(Permissions.KICK_MEMBERS)
    async def kick(self, ctx: Message, target: str) -> None:
        member = await ctx.guild.fetch_member(who(target))
        await member.kick(reason=f"asked by {ctx.author}")
        await self.done(ctx, f"kicked {member.display_name}")

    @Cog.command()
    @has_permission(Permissions.BAN_MEMBERS)
    async def ban(self, ctx: Message, target: str) -> None:
        await ctx.guild.ban(who(target), delete_message_days=1, reason=f"asked by {ctx.author}")
        await self.done(ctx, f"banned {who(target)}")

    @Cog.command()
    @has_permission(Permissions.BAN_MEMBERS)
    async def unban(self, ctx: Message, target: str) -> None:
        await ctx.guild.unban(who(target))
        await self.done(ctx, f"unbanned {who(target)}")

    @Cog.command()
    @has_permission(Permissions.MANAGE_MESSAGES)
    async def purge(self, ctx: Message, count: int) -> None:
        channel = await self.bot.fetch_channel(str(ctx.channel_id))
        latest = await channel.fetch_messages(limit=count + 1)
        await channel.delete_messages([each.id for each in latest if each.id != ctx.id])
        await self.done(ctx, f"purged {len(latest) - 1}")

    @Cog.command()
    @has_permission(Permissions.MANAGE_ROLES)
    async def role(self, ctx: Message, target: str, name: str) -> None:
        roles = {each.name: each for each in await ctx.guild.fetch_roles()}
        wanted = roles.get(name) or await ctx.guild.create_role(name=name, mentionable=True)
        member = await ctx.guild.fetch_member(who(target))
        if member.has_role(wanted.id):
            await member.remove_role(wanted.id, reason="taken")
            await self.done(ctx, f"took {name} from {member.display_name}")
        else:
            await member.add_role(wanted.id, reason="given")
            await self.done(ctx, f"gave {name} to {member.display_name}")

    @Cog.listener()
    async def on_member_join(self, member: dict[str, Any]) -> None:
        """A word of welcome in the first text channel."""
        channels = await self.bot._http.get_guild_channels(member["guild_id"])
        first = next(each for each in channels if each["type"] == 0)
        await self.bot._http.send_message(first["id"], content=f"Welcome, <@{member['user']['id']}>!")

    @Cog.listener()
    async def on_message_delete(self, gone: dict[str, Any]) -> None:
        self.ledger.note(f"deleted {gone['id']}")


class Steward(Bot):
    """The bot. What a command does not understand is answered in words."""

    async def setup_hook(self) -> None:
        await self.add_cog(Talk(self))
        await self.add_cog(Order(self))

        @self.command()
        async def help(ctx: Message) -> None:
            await ctx.reply("Commands: " + ", ".join(f"!{name}" for name in sorted(self._commands)))

    async def _invoke_command(self, handler: Any, message: Message, args_str: str) -> None:
        try:
            await super()._invoke_command(handler, message, args_str)
        except NotUnderstood as problem:
            await message.reply(str(problem))
        except fluxer.Forbidden:
            await message.reply("I am not allowed to.")
        except fluxer.NotFound:
            await message.reply("There is no such thing.")


def steward(api_url: str) -> Steward:
    return Steward(command_prefix="!", api_url=api_url)
