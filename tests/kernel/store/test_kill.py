"""What was acknowledged survives kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tests.harness.databases import open_url

from flux.kernel.faults.ports import PortFailure
from flux.kernel.store import Database, EmbeddedPostgres, PostgresDatabase, Transaction

WRITER = Path(__file__).with_name("writer.py")
ROOT = WRITER.parents[3]


async def make_table(database: Database) -> None:
    async def work(tx: Transaction) -> None:
        kind = {"sqlite": "BLOB", "postgres": "BYTEA"}[database.dialect]
        await tx.run(f"CREATE TABLE things (id BIGINT PRIMARY KEY, body {kind})", {})

    await database.transact(work)


async def start_writer(url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(WRITER), url, "32",
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def acknowledged(writer: asyncio.subprocess.Process, enough: int) -> set[int]:
    """Read until `enough` ids came, kill the writer, read what was still in the pipe."""
    assert writer.stdout is not None
    said = b""
    while said.count(b"\n") < enough:
        more = await writer.stdout.read(65536)
        assert more, "the writer ended by itself"
        said += more
    writer.send_signal(signal.SIGKILL)
    said += await writer.stdout.read()
    assert await writer.wait() == -signal.SIGKILL
    return {int(line) for line in said.split(b"\n")[:-1]}


async def test_a_killed_writer_loses_nothing_it_was_told(database: Database, database_url: str) -> None:
    await make_table(database)
    await database.close()
    everything: set[int] = set()
    for enough in (300, 1500):
        told = await acknowledged(await start_writer(database_url), enough)
        again = await open_url(database_url)
        kept = set(await again.scan("SELECT id FROM things", {}, int))
        assert told <= kept, f"lost {sorted(told - kept)[:10]}"
        assert len(told) >= enough
        everything |= told

        async def work(tx: Transaction) -> None:
            await tx.run("DELETE FROM things", {})

        await again.transact(work)
        await again.close()
    assert len(everything) > 1000


async def test_a_killed_server_loses_nothing_it_told() -> None:
    with tempfile.TemporaryDirectory(prefix="flux-test-pg-") as place:
        Path(place).chmod(0o755)
        directory = Path(place) / "data"
        server = await asyncio.to_thread(EmbeddedPostgres.start, directory)
        database = await PostgresDatabase.connect(server.dsn())
        await make_table(database)
        told: set[int] = set()

        async def write(task: int) -> None:
            for number in range(task, 1_000_000, 8):

                async def work(tx: Transaction, number: int = number) -> None:
                    await tx.run("INSERT INTO things (id) VALUES (:id)", {"id": number})

                await database.transact(work)
                told.add(number)

        writers = [asyncio.ensure_future(write(task)) for task in range(8)]
        while len(told) < 200:
            await asyncio.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        results = await asyncio.gather(*writers, return_exceptions=True)
        assert all(isinstance(result, PortFailure) for result in results), results
        await asyncio.to_thread(server.stop)
        server = await asyncio.to_thread(EmbeddedPostgres.start, directory)
        try:
            kept = set(await database.all("SELECT id FROM things", {}, int))
            assert told <= kept
            await database.close()
        finally:
            await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("how", ["stop", "kill the owner"])
def test_an_embedded_server_leaves_no_process(how: str) -> None:
    with tempfile.TemporaryDirectory(prefix="flux-test-pg-") as place:
        Path(place).chmod(0o755)
        script = (
            "import sys, time; from flux.kernel.store import EmbeddedPostgres\n"
            f"server = EmbeddedPostgres.start({str(Path(place) / 'data')!r}, {{'fsync': 'off'}})\n"
            "print(server.pid, flush=True); sys.stdin.read(); server.stop()"
        )
        owner = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert owner.stdout is not None
        assert owner.stdin is not None
        pid = int(owner.stdout.readline())
        if how == "stop":
            owner.stdin.close()
        else:
            owner.kill()
        owner.wait(30)
        owner.stdout.close()
        deadline = time.monotonic() + 30
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not Path(f"/proc/{pid}").exists()
        assert not list(Path(place).glob("data/postmaster.pid"))
