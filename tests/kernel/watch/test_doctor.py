from __future__ import annotations

import asyncio
import io
import os
import resource
import shutil
import socket
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from flux.kernel.store import SystemClock
from flux.kernel.store.migrations import MigrationSet, migrate
from flux.kernel.store.sqlite import SqliteDatabase
from flux.kernel.watch import installation
from flux.kernel.watch.databases import check_database, clock_finding
from flux.kernel.watch.doctor import examine, print_findings, print_settings
from flux.kernel.watch.findings import Finding
from flux.kernel.watch.installation import check_files, check_limits, check_port, check_settings
from flux.kernel.watch.outside import Service, check_service, services, unreachable
from flux.settings import Settings, describe, load_settings


def settings(**overrides: Any) -> Settings:
    return load_settings(None, {}, {key.replace("__", "."): value for key, value in overrides.items()})


def levels(findings: list[Finding], subject: str) -> set[str]:
    return {finding.level for finding in findings if finding.subject == subject}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_fresh_installation_has_nothing_to_fix(tmp_path: Path) -> None:
    findings = await examine(settings(server__port=free_port()), tmp_path / "not-yet")
    assert {finding.subject for finding in findings} >= {"settings", "disk", "open files", "database", "port"}
    assert not [finding for finding in findings if finding.level == "fail"]
    assert not (tmp_path / "not-yet").exists()


@pytest.mark.parametrize(
    ("overrides", "level", "word"),
    [
        ({"server__log_level": "loud"}, "fail", "log_level"),
        ({"server__log_format": "xml"}, "fail", "log_format"),
        ({"server__public_url": "flux.example"}, "fail", "public_url"),
        ({"server__public_url": "https://flux.example/path"}, "fail", "public_url"),
        ({"server__public_url": "https://flux.example:99999"}, "fail", "public_url"),
        ({"server__trusted_proxies": ["10.0.0.0/8", "nonsense"]}, "fail", "nonsense"),
        ({"server__sandbox": True, "server__host": "0.0.0.0"}, "warn", "sandbox"),
        ({"server__workers": 4}, "fail", "SQLite"),
    ],
)
def test_settings_that_do_not_fit_are_named(overrides: dict[str, Any], level: str, word: str) -> None:
    findings = check_settings(settings(**overrides))
    assert [finding.level for finding in findings] == [level]
    assert word in findings[0].message and findings[0].advice


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"server__public_url": "https://flux.example/"},
        {"server__sandbox": True, "server__host": "::1"},
        {"server__workers": 4, "store__database": "embedded-postgres"},
        {"server__workers": 4, "store__database": "postgres://a@b/c"},
    ],
)
def test_settings_that_fit_are_fine(overrides: dict[str, Any]) -> None:
    assert [finding.level for finding in check_settings(settings(**overrides))] == ["ok"]


Disk = namedtuple("Disk", "total used free")


@pytest.mark.parametrize(("free", "level"), [(10 << 30, "ok"), (500 << 20, "warn"), (50 << 20, "fail")])
def test_a_disk_that_runs_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda at: Disk(1 << 40, 0, free))
    assert levels(check_files(tmp_path), "disk") == {level}


def test_secrets_that_others_can_read(tmp_path: Path) -> None:
    secret = tmp_path / "operator.json"
    secret.write_text("{}")
    secret.chmod(0o600)
    assert levels(check_files(tmp_path), "files") == set()
    secret.chmod(0o640)
    assert levels(check_files(tmp_path), "files") == {"fail"}


def test_a_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert levels(check_files(tmp_path), "files") == {"fail"}


@pytest.mark.parametrize(("soft", "level"), [(1024, "warn"), (65_536, "ok"), (resource.RLIM_INFINITY, "ok")])
def test_few_open_files(monkeypatch: pytest.MonkeyPatch, soft: int, level: str) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, 524_288))
    assert [finding.level for finding in check_limits()] == [level]


def test_ports_free_taken_and_impossible() -> None:
    port = free_port()
    assert check_port("127.0.0.1", port).level == "ok"
    assert check_port("127.0.0.1", 0).level == "ok"
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        other.settimeout(0)
        finding = installation.check_port("127.0.0.1", port)
    assert finding.level == "fail" and "another program" in finding.message
    assert check_port("192.0.2.7", port).level == "fail"


async def test_a_port_on_which_flux_runs_is_fine() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"status":"ok"}')
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    finding = await asyncio.to_thread(check_port, "127.0.0.1", port)
    assert finding.level == "ok" and "running" in finding.message
    server.close()


def room(directory: Path, *scripts: str) -> MigrationSet:
    directory.mkdir(exist_ok=True)
    for number, script in enumerate(scripts, 1):
        (directory / f"{number:04d}_step.sql").write_text(script)
    return MigrationSet("room", directory)


async def database_finding(tmp_path: Path, *sets: MigrationSet) -> Finding:
    findings = await check_database(settings(), tmp_path, sets, SystemClock())
    return next(finding for finding in findings if finding.subject == "database")


async def test_how_far_the_database_is_migrated(tmp_path: Path) -> None:
    first, second = "CREATE TABLE a (id {{bigint}})", "CREATE TABLE b (id {{bigint}})"
    assert (await database_finding(tmp_path)).message.startswith("the SQLite file is made")
    assert not (tmp_path / "flux.db").exists()
    db = SqliteDatabase(tmp_path / "flux.db")
    one = room(tmp_path / "one", first)
    await db.close()
    assert "is empty" in (await database_finding(tmp_path, one)).message
    db = SqliteDatabase(tmp_path / "flux.db")
    await migrate(db, [one])
    held = await database_finding(tmp_path, one)
    assert held.level == "ok" and "running Flux" in held.message
    await db.close()
    fine = await database_finding(tmp_path, one)
    assert fine.level == "ok" and "1 migrations applied" in fine.message
    assert (await database_finding(tmp_path, room(tmp_path / "two", first, second))).level == "warn"
    assert (await database_finding(tmp_path, room(tmp_path / "other", second))).level == "fail"
    newer = await database_finding(tmp_path, room(tmp_path / "none"))
    assert newer.level == "fail" and "newer" in newer.message


async def test_a_database_that_cannot_be_reached_says_why_without_its_password(tmp_path: Path) -> None:
    url = f"postgres://flux:hunter22@127.0.0.1:{free_port()}/flux"
    findings = await check_database(settings(store__database=url), tmp_path, [], SystemClock())
    assert [finding.level for finding in findings] == ["fail"]
    assert "hunter22" not in findings[0].message
    wrong = await check_database(settings(store__database="mysql://x"), tmp_path, [], SystemClock())
    assert wrong[0].level == "fail" and "mysql" in wrong[0].message
    embedded = await check_database(
        settings(store__database="embedded-postgres"), tmp_path, [], SystemClock()
    )
    assert embedded[0].level == "ok"


async def test_the_database_clock_is_asked(tmp_path: Path) -> None:
    await SqliteDatabase(tmp_path / "flux.db").close()
    findings = await check_database(settings(), tmp_path, [], SystemClock())
    assert levels(findings, "clock") == {"ok"}


@pytest.mark.parametrize(
    ("ours", "drift", "level"),
    [
        (1_800_000_000_000, 0, "ok"),
        (1_800_000_000_000, -5_000, "warn"),
        (1_800_000_000_000, 90_000, "fail"),
        (86_400_000, 0, "fail"),
    ],
)
def test_clocks_that_disagree(ours: int, drift: int, level: str) -> None:
    assert clock_finding(ours, ours + drift).level == level


def test_services_are_what_is_configured_and_nothing_else() -> None:
    assert services(settings()) == []
    found = services(
        settings(
            bus__url="nats://token@one:4222,tls://u:p@two",
            blobs__bucket="b",
            blobs__endpoint="https://s3.example",
            post__mail="smtp",
            post__smtp_host="mail.example",
            post__sms="twilio",
            server__public_url="https://flux.example",
            paygate__chains=[
                {
                    "name": "base",
                    "chainId": 8453,
                    "rpcUrls": ["http://127.0.0.1:8545"],
                    "explorerTxUrl": "https://scan.example",
                }
            ],
        )
    )
    assert {(service.host, service.port, service.vital) for service in found} == {
        ("one", 4222, True),
        ("two", 4222, True),
        ("s3.example", 443, False),
        ("mail.example", 587, False),
        ("api.twilio.com", 443, False),
        ("127.0.0.1", 8545, False),
    }


async def test_services_are_reached_or_not() -> None:
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await unreachable(Service("x", "127.0.0.1", port)) == ""
    assert (await check_service(Service("x", "127.0.0.1", port))).level == "ok"
    server.close()
    closed = free_port()
    assert (await check_service(Service("x", "127.0.0.1", closed))).level == "warn"
    assert (await check_service(Service("bus.url", "127.0.0.1", closed, vital=True))).level == "fail"
    assert await unreachable(Service("x", "no-such-name.invalid", 1))


def test_findings_are_printed_with_what_to_do() -> None:
    out = io.StringIO()
    print_findings(
        [Finding("ok", "disk", "10 GiB free"), Finding("fail", "port", "taken", "Choose another.")], out
    )
    lines = out.getvalue().splitlines()
    assert lines[0].split() == ["ok", "disk", "10", "GiB", "free"] and lines[1].startswith("fail  port")
    assert lines[2].strip() == "Choose another." and lines[-1] == "1 fine, 0 to look at, 1 to fix"


def test_every_setting_is_printed() -> None:
    out = io.StringIO()
    print_settings(out)
    text = out.getvalue()
    for entry in describe():
        assert f"\n{entry['variable']}  ({entry['type']}, default " in text
    assert "[server]" in text and "Port to listen on" in text


async def test_a_damaged_sqlite_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    db = SqliteDatabase(tmp_path / "flux.db")
    columns = ", ".join(f"c{number} {{{{bigint}}}}" for number in range(40))
    one = room(tmp_path / "one", *(f"CREATE TABLE t{number} ({columns})" for number in range(40)))
    await migrate(db, [one])
    await db.close()
    assert (await database_finding(tmp_path, one)).level == "ok"
    whole = (tmp_path / "flux.db").read_bytes()
    last_pages = whole[:-8192] + b"\xa5" * 8192
    for content in (last_pages, b"not a database at all" * 1000):
        (tmp_path / "flux.db").write_bytes(content)
        found = await database_finding(tmp_path, one)
        assert found.level == "fail" and "backup" in found.advice
