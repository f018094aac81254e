"""Queueing with the unit, delivering by a job, erasing, showing."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.kernel.post.conftest import Offices, mail, sms

from flux.kernel.faults.ports import Mode
from flux.kernel.post import Letter, migrations
from flux.kernel.store import Transaction


async def test_a_letter_is_sent_if_and_only_if_its_unit_commits(offices: Offices) -> None:
    office = await offices(sandbox=True)

    async def work(tx: Transaction) -> None:
        await office.post.send(tx, mail("never@example.org"))
        raise LookupError

    with pytest.raises(LookupError):
        await office.database.transact(work)
    await office.send(mail())
    await office.settled()
    assert [message["to"] for message in await office.outbox.messages(None)] == ["ada@example.org"]


async def test_the_sandbox_shows_letters_newest_first_with_their_data(offices: Offices) -> None:
    office = await offices(sandbox=True)
    before = office.clock.now_ms()
    letters = [
        mail("ada@example.org", "One"),
        sms("+15550123"),
        mail("ada@example.org", "Two"),
        mail("bob@example.org", "Three"),
    ]
    for letter in letters:
        await office.send(letter)
    shown = await office.outbox.messages(None)
    assert [message["subject"] for message in shown] == ["Three", "Two", "", "One"]
    assert [message["subject"] for message in await office.outbox.messages("ada@example.org")] == [
        "Two",
        "One",
    ]
    assert await office.outbox.messages("nobody@example.org") == []
    message = (await office.outbox.messages("+15550123"))[0]
    assert set(message) == {"id", "channel", "to", "subject", "text", "data", "sent_at"}
    assert (message["channel"], message["text"], message["data"]) == (
        "sms",
        "Your code is 8731.",
        {"code": "8731"},
    )
    assert isinstance(message["id"], str)
    assert before > 0


async def test_a_sent_letter_has_its_time(offices: Offices) -> None:
    office = await offices(sandbox=True)
    before = office.clock.now_ms()
    await office.send(mail())
    row = await office.settled()
    assert before <= row["sent_at"] <= office.clock.now_ms()
    shown = (await office.outbox.messages(None))[0]["sent_at"]
    assert shown.startswith("20")
    assert shown.endswith("Z")


async def test_outside_the_sandbox_a_sent_letter_is_erased_but_for_its_metadata(offices: Offices) -> None:
    office = await offices()
    await office.send(mail())
    row = await office.settled()
    assert (row["text"], row["data"], row["sent_at"] is None) == (None, None, False)
    shown = (await office.outbox.messages(None))[0]
    assert (shown["to"], shown["subject"], shown["text"], shown["data"]) == (
        "ada@example.org",
        "Verify",
        None,
        None,
    )


@pytest.mark.parametrize(("port", "letter"), [("mail", mail()), ("sms", sms())])
@pytest.mark.parametrize("mode", [Mode.ERROR, Mode.GARBAGE, Mode.UNAVAILABLE, Mode.TIMEOUT])
async def test_an_armed_fault_fails_the_attempt_and_a_later_one_succeeds(
    offices: Offices, port: str, letter: Letter, mode: Mode
) -> None:
    office = await offices()
    office.ports.arm(port, mode)
    await office.send(letter)
    row = await office.settled(1)
    assert (row["sent_at"], row["last_error"], row["text"]) == (None, f"{mode.value}: injected", letter.text)
    assert (await office.outbox.messages(None))[0]["sent_at"] is None
    office.clock.advance(101)
    row = await office.settled(2)
    assert row["sent_at"] is not None
    assert row["last_error"] is None


async def test_a_fault_of_one_channel_leaves_the_other_alone(offices: Offices) -> None:
    office = await offices()
    office.ports.arm("mail", Mode.ERROR)
    await office.send(sms())
    assert (await office.settled())["sent_at"] is not None
    assert office.ports.armed("mail")


async def test_neither_sending_nor_failing_logs_a_secret(
    offices: Offices, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        office = await offices(mail="smtp", smtp_port=1, smtp_security="plain", mail_from="flux@example.org")
        await office.send(mail())
        await office.settled(1)
        await office.send(Letter("sms", "+15550123", "", "Your code is 8731.", {"code": "8731"}))
        await office.jobs.close()
    assert "attempt 1" in caplog.text
    for secret in ("8731", "s3cret", "ada@example.org", "+15550123"):
        assert secret not in caplog.text


async def test_a_letter_delivered_once_is_not_delivered_again(offices: Offices, http_peer: Any) -> None:
    office = await offices(sandbox=True, sms="webhook", sms_webhook_url=http_peer.url, sms_webhook_secret="k")
    await office.send(sms())
    await office.settled()
    await office.post._deliver({"id": int((await office.outbox.messages(None))[0]["id"])})
    assert len(http_peer.got) == 1


async def test_old_letters_leave_the_table(offices: Offices) -> None:
    office = await offices(keep_days=2.0)
    await office.send(mail())
    await office.settled()
    office.clock.advance(86_400)
    await office.send(mail("new@example.org"))
    await office.post._sweep({})
    assert len(await office.outbox.messages(None)) == 2
    office.clock.advance(86_500)
    await office.post._sweep({})
    assert [message["to"] for message in await office.outbox.messages(None)] == ["new@example.org"]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "settings",
    [
        {"sms": "webhook", "sms_webhook_url": "http://127.0.0.1:1"},
        {"sms": "webhook", "sms_webhook_secret": "k"},
        {"sms": "twilio", "twilio_account": "AC1", "twilio_token": "t"},
        {"mail": "smtp", "mail_from": "nobody"},
    ],
)
async def test_half_a_setting_stops_the_start(offices: Offices, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"post\."):
        await offices(**settings)


def test_the_migrations_are_where_they_are_said_to_be() -> None:
    assert [path.name for path in migrations().directory.iterdir()] == ["0001_outbox.sql"]
