"""SMTP, against a real server on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.kernel.post.conftest import PASSWORD, USER, Offices, mail, parsed

from flux.kernel.post import Letter

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)

Servers = Any


def smtp(server: Any, security: str = "plain", **more: Any) -> dict[str, Any]:
    return {
        "mail": "smtp",
        "mail_from": "Flux Ä <flux@example.org>",
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_security": security,
        "timeout_seconds": 2.0,
        **more,
    }


async def test_a_letter_arrives_as_it_was_written(offices: Offices, mail_servers: Servers) -> None:
    server = await mail_servers()
    office = await offices(**smtp(server))
    before = office.clock.now_ms()
    await office.send(mail("ada@example.org", "Grüße ✓", "Ein Gruß.\n.\nFrom here on\n" + "lang " * 300))
    await office.settled()
    envelope, session = server.got[0]
    assert (envelope.mail_from, envelope.rcpt_tos) == ("flux@example.org", ["ada@example.org"])
    message = parsed(envelope)
    assert message["From"] == "Flux Ä <flux@example.org>"
    assert message["To"] == "ada@example.org"
    assert message["Subject"] == "Grüße ✓"
    assert (
        message.get_content().replace("\r\n", "\n") == "Ein Gruß.\n.\nFrom here on\n" + "lang " * 300 + "\n"
    )
    assert abs(message["Date"].datetime.timestamp() * 1000 - before) < 5000
    assert message["Message-ID"].startswith("<flux.1.")
    assert session.host_name == "example.org", "we greet with our sender's domain"


async def test_an_international_address(offices: Offices, mail_servers: Servers) -> None:
    server = await mail_servers()
    office = await offices(**smtp(server))
    await office.send(mail("jürgen@beispiel.example"))
    assert (await office.settled())["sent_at"] is not None
    assert server.got[0][0].rcpt_tos == ["jürgen@beispiel.example"]
    assert parsed(server.got[0][0])["To"] == "jürgen@beispiel.example"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_encrypted_and_authenticated_letter(
    offices: Offices, mail_servers: Servers, certificate: Path, security: str
) -> None:
    server = await mail_servers(security, authenticate=True)
    office = await offices(
        **smtp(server, security, smtp_ca_file=str(certificate), smtp_user=USER, smtp_password=PASSWORD)
    )
    await office.send(mail())
    assert (await office.settled())["sent_at"] is not None
    _, session = server.got[0]
    assert session.authenticated
    assert session.ssl is not None or security == "tls"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_we_do_not_trust_gets_nothing(
    offices: Offices, mail_servers: Servers, security: str
) -> None:
    server = await mail_servers(security)
    office = await offices(**smtp(server, security))
    await office.send(mail())
    row = await office.settled()
    assert (row["sent_at"], row["last_error"]) == (None, "error: tls")
    assert server.got == []


async def test_a_server_without_starttls_gets_nothing(offices: Offices, mail_servers: Servers) -> None:
    server = await mail_servers("plain")
    office = await offices(**smtp(server, "starttls"))
    await office.send(mail())
    assert (await office.settled())["last_error"] == "error: unsupported"
    assert server.got == []


async def test_a_wrong_password_is_tried_again_later(
    offices: Offices, mail_servers: Servers, certificate: Path
) -> None:
    server = await mail_servers("starttls", authenticate=True)
    office = await offices(
        **smtp(server, "starttls", smtp_ca_file=str(certificate), smtp_user=USER, smtp_password="wrong")
    )
    await office.send(mail())
    assert (await office.settled())["last_error"] == "error: smtp-535"
    office.clock.advance(101)
    await office.settled(2)


@pytest.mark.parametrize("where", ["recipient_answer", "data_answer"])
async def test_a_refusal_for_now_is_tried_again(offices: Offices, mail_servers: Servers, where: str) -> None:
    server = await mail_servers()
    setattr(server, where, "451 come back later, code 8731")
    office = await offices(**smtp(server))
    await office.send(mail())
    row = await office.settled()
    assert (row["last_error"], row["text"]) == ("error: smtp-451", "Your code is 8731.")
    setattr(server, where, "250 OK")
    office.clock.advance(101)
    assert (await office.settled(2))["sent_at"] is not None
    assert len(server.got) == 1


@pytest.mark.parametrize("where", ["recipient_answer", "data_answer"])
async def test_a_refusal_for_good_is_not(offices: Offices, mail_servers: Servers, where: str) -> None:
    server = await mail_servers()
    setattr(server, where, "550 no such user")
    office = await offices(**smtp(server))
    await office.send(mail())
    row = await office.settled()
    assert (row["sent_at"], row["last_error"]) == (None, "undeliverable: smtp-550")
    assert (row["text"], row["data"]) == (None, None), "given up, erased"
    office.clock.advance(86_400)
    await asyncio.sleep(0.1)
    assert await office.jobs.dead() == []
    await office.settled(1)


@pytest.mark.parametrize(
    ("letter", "reason"),
    [
        (mail(to="ada@example.org, eve@example.org"), "address"),
        (mail(to="ada@example.org\r\nBcc: eve@example.org"), "address"),
        (mail(to="nowhere"), "address"),
        (mail(subject="Hello\r\nBcc: eve@example.org"), "header"),
    ],
)
async def test_an_address_or_subject_that_smuggles_is_not_sent(
    offices: Offices, mail_servers: Servers, letter: Letter, reason: str
) -> None:
    server = await mail_servers()
    office = await offices(**smtp(server))
    await office.send(letter)
    assert (await office.settled())["last_error"] == f"undeliverable: {reason}"
    assert server.got == []


async def test_a_server_that_is_not_there_is_tried_again(offices: Offices, unused_tcp_port: int) -> None:
    server = type("Nobody", (), {"port": unused_tcp_port})
    office = await offices(**smtp(server))
    await office.send(mail())
    assert (await office.settled())["last_error"] == "unavailable: connect"


async def test_a_server_that_says_nothing_times_out(offices: Offices) -> None:
    release = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        server = type("Silent", (), {"port": listening.sockets[0].getsockname()[1]})
        office = await offices(**smtp(server, timeout_seconds=0.2))
        await office.send(mail())
        assert (await office.settled())["last_error"] == "timeout: timeout"
        release.set()
