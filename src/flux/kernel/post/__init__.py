"""Mail and text messages: queued in the caller's unit of work, delivered by a durable job, retried.

port.py        `Post`, `Letter`: what rooms are written against
office.py      `StorePost`, which takes and delivers; `Outbox`, which the sandbox shows
carrier.py     what a way out is; `OutboxOnly`, the default that sends nothing
mail.py        SMTP
texts.py       a signed webhook, Twilio
repository.py  the table `outbox`

Every room may send in its units of work; what it writes into a letter is its own business. Nothing here logs a
letter's text, data or address. Start at port.py; `open_post` chooses the carriers.
"""

from pathlib import Path

from flux.kernel.faults.ports import Ports
from flux.kernel.jobs.port import Jobs
from flux.kernel.post.carrier import Carrier, OutboxOnly, Undeliverable
from flux.kernel.post.mail import SmtpMail
from flux.kernel.post.office import Outbox, StorePost
from flux.kernel.post.port import Letter, Post
from flux.kernel.post.texts import TwilioSms, WebhookSms
from flux.kernel.store.clock import Clock
from flux.kernel.store.migrations import MigrationSet
from flux.kernel.store.port import Database
from flux.settings.post import PostSettings


def migrations() -> MigrationSet:
    return MigrationSet("post", Path(__file__).parent / "migrations")


def open_post(
    settings: PostSettings, db: Database, jobs: Jobs, clock: Clock, ports: Ports, *, sandbox: bool
) -> tuple[StorePost, Outbox]:
    """The post and its outbox. Before `jobs.start()`. `ValueError` when the settings lack what a carrier needs."""
    carriers: dict[str, Carrier] = {
        "mail": SmtpMail(settings) if settings.mail == "smtp" else OutboxOnly(),
        "sms": OutboxOnly(),
    }
    if settings.sms == "webhook":
        carriers["sms"] = WebhookSms(settings, clock)
    elif settings.sms == "twilio":
        carriers["sms"] = TwilioSms(settings)
    office = StorePost(db, jobs, clock, ports, carriers, keep_days=settings.keep_days, keep_content=sandbox)
    return office, Outbox(db)


__all__ = [
    "Carrier",
    "Letter",
    "Outbox",
    "OutboxOnly",
    "Post",
    "SmtpMail",
    "StorePost",
    "TwilioSms",
    "Undeliverable",
    "WebhookSms",
    "migrations",
    "open_post",
]
