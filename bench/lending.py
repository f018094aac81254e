"""What a delivery costs when the client is connected to one process and its session lives in another.

Two workers on PostgreSQL and NATS; everybody identifies at one of them and resumes at the other, which is asked in turn
by stopping the other for as long as that takes. CPU of all serving processes and NATS, by which of them it is.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from tests.community.houses import stopped, workers
from tests.harness.server import Server, serve

from bench import fanout
from bench.figures import Figure, cpu_seconds, show
from bench.sockets import SocketClient, raise_file_limit

SESSIONS = 500
MESSAGES = 20
ROUNDS = 5
PATH = "/community/gateway?v=1&encoding=json"
SETTINGS: dict[str, Any] = {
    **fanout.SETTINGS,
    "community.realtime.lending_answer_seconds": 60,
    "community.realtime.lending_silence_seconds": 60,
}


class Traveller(SocketClient):
    """Counts messages, and knows how to come back."""

    def __init__(self, token: str) -> None:
        super().__init__(PATH)
        self.token = token
        self.session_id = ""
        self.number = 0
        self.messages = 0
        self.ready = asyncio.Event()

    def opened(self) -> None:
        if self.session_id:
            self.say(6, {"token": self.token, "session_id": self.session_id, "seq": self.number})
        else:
            self.identify(self.token)

    def heard(self, message: bytes) -> None:
        start = message[:48]
        if b"MESSAGE_CREATE" in start:
            self.messages += 1
        if b'"op":0' in start:
            self.number = int(message[message.rindex(b'"s":') + 4 : -1])
        if b'"t":"READY"' in start:
            self.session_id = msgspec.json.decode(message)["d"]["session_id"]
        if b'"t":"READY"' in start or b'"t":"RESUMED"' in start:
            self.ready.set()

    def leave(self) -> None:
        assert self.transport is not None
        self.transport.abort()
        self.ready.clear()


async def gather_at(server: Server, travellers: list[Traveller], pid: int) -> None:
    """All of them connect to that process. Without a word from the others they could not resume, so these only sleep
    while connections are taken."""
    port = int(server.origin.rpartition(":")[2])
    for traveller in travellers:
        with stopped([each for each in workers(server) if each != pid]):
            await traveller.connect(port)
            while not traveller._open:
                await asyncio.sleep(0)
        await asyncio.wait_for(traveller.ready.wait(), 60)


def nats_of(server: Server) -> int:
    return int((server.data_dir / "nats" / "nats.pid").read_text())


async def measure(directory: Path) -> list[Figure]:
    fanout.SESSIONS = SESSIONS
    async with serve(
        directory, database="postgres", workers=2, sandbox=False, settings=SETTINGS
    ) as server, server.client(timeout=60) as http:  # fmt: skip
        owner, channel, tokens = await fanout.members(server)
        home, other = workers(server)
        travellers = [Traveller(token) for token in tokens]
        await gather_at(server, travellers, home)
        processes = (home, other, nats_of(server))
        url, mine = f"/community/v1/channels/{channel}/messages", {"Authorization": owner}

        async def round_() -> list[float]:
            before = [cpu_seconds(pid) for pid in processes]
            for _ in range(MESSAGES):
                due = travellers[0].messages + 1
                (await http.post(url, json={"content": fanout.TEXT}, headers=mine)).raise_for_status()
                while any(each.messages < due for each in travellers):
                    await asyncio.sleep(0.002)
            now = [cpu_seconds(pid) for pid in processes]
            return [
                (after - earlier) / (MESSAGES * SESSIONS) * 1e6
                for after, earlier in zip(now, before, strict=True)
            ]

        at_home = [await round_() for _ in range(ROUNDS)]
        for traveller in travellers:
            traveller.leave()
        await gather_at(server, travellers, other)
        lent = [await round_() for _ in range(ROUNDS)]
        for traveller in travellers:
            traveller.leave()
    all_home, all_lent = (statistics.median(sum(each) for each in rounds) for rounds in (at_home, lent))
    parts = [statistics.median(each[part] for each in lent) for part in range(3)]
    return [
        Figure(f"CPU per delivery, {SESSIONS} sessions connected where they live", all_home, "µs"),
        Figure("the same connected to the other process, all processes", all_lent, "µs"),
        *(
            Figure(f"… of that {name}", part, "µs")
            for name, part in zip(("the owner", "the lender", "NATS"), parts, strict=True)
        ),
    ]


def main() -> None:
    raise_file_limit()
    directory = Path(tempfile.mkdtemp(prefix="flux-bench-"))
    try:
        show("Fan-out to lent connections", uvloop.run(measure(directory)))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
