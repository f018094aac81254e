"""Random clients for a while, processes killed meanwhile: in the end each client's view equals the database.

Twelve seconds in the suite; ten minutes with `FLUX_LONG=1` (`FLUX_SOAK_SECONDS` for any other time). `FLUX_SOAK_SEED` repeats the
clients' whims, not what the machine makes of them.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.community.actors import guild, person
from tests.community.houses import workers
from tests.community.wanderers import Wanderer
from tests.harness.server import Server, serve

LONG = bool(os.environ.get("FLUX_LONG"))
SECONDS = float(os.environ.get("FLUX_SOAK_SECONDS", 600 if LONG else 12))
PEOPLE = 12 if LONG else 6
KILL_EVERY = 25.0 if LONG else 5.0
SETTLED = 60.0
LOOKS = 5
SETTINGS = {
    "community.rate_limits.enabled": False,
    "community.limits.login_per_ip": "0",
    "community.realtime.resume_seconds": 20,
}


async def killing(server: Server, dice: random.Random, most: float) -> int:
    """kill -9 of one worker now and then; how many died."""
    died = 0
    while True:
        await asyncio.sleep(dice.uniform(0.6, 1.2) * most)
        victims = workers(server)
        if len(victims) > 1:
            os.kill(dice.choice(victims), signal.SIGKILL)
            died += 1
            print(f"killed one of {len(victims)}", flush=True)


async def soak(server: Server, seconds: float, people: int, kill_every: float, seed: int) -> list[Wanderer]:
    """Let them live, then stop and wait until every view equals the database; the clients for a look at them."""
    dice = random.Random(seed)
    everybody = [await person(server) for _ in range(people)]
    places = [await guild(everybody[index]) for index in range(2)]
    codes = {place.id: await place.invite(max_age=0) for place in places}
    wanderers = [Wanderer(who, places, codes, random.Random(dice.random())) for who in everybody]
    async with AsyncExitStack() as stack:
        following = [asyncio.create_task(each.follow()) for each in wanderers]
        for task in following:
            stack.callback(task.cancel)
        living = [asyncio.create_task(each.live()) for each in wanderers]
        death = asyncio.create_task(killing(server, dice, kill_every)) if kill_every else None
        await asyncio.sleep(seconds)
        if death is not None:
            death.cancel()
        for each in living:
            each.cancel()
        await asyncio.wait(living)
        await settled(wanderers)
        for wanderer in wanderers:
            wanderer.stopping = True
            await wanderer.drop()
        await asyncio.wait(following, timeout=5)
    return wanderers


async def settled(wanderers: list[Wanderer]) -> None:
    """Looking takes its time too, so the deadline counts only once they were looked at several times."""
    deadline = asyncio.get_running_loop().time() + SETTLED
    looks = 0
    while True:
        differences = [line for each in wanderers for line in await each.differences()]
        if not differences:
            return
        looks += 1
        if looks >= LOOKS and asyncio.get_running_loop().time() > deadline:
            raise AssertionError("\n".join(differences))
        await asyncio.sleep(0.5)


@pytest.mark.parametrize(("database", "workers_"), [("sqlite", 1), ("postgres", 2)])
async def test_every_view_equals_the_database(tmp_path: Path, database: str, workers_: int) -> None:
    async with serve(tmp_path, database=database, workers=workers_, settings=SETTINGS) as server:
        seconds = SECONDS if workers_ > 1 else min(SECONDS, 8.0)
        kill_every = KILL_EVERY if workers_ > 1 else 0.0
        seed = int(os.environ.get("FLUX_SOAK_SEED") or random.randrange(1 << 32))
        print(f"{database}: seed {seed}, {seconds:.0f} s, {PEOPLE} people", flush=True)
        wanderers = await soak(server, seconds, PEOPLE, kill_every, seed)
        said = sum(len(each.own) for each in wanderers)
        done = Counter[str]()
        for each in wanderers:
            done += each.done
        readies, resumes = (sum(getattr(each, name) for each in wanderers) for name in ("readies", "resumes"))
        print(f"{said} own messages left, {readies} READYs, {resumes} resumes, {dict(done)}")
        assert done["post"] > 10
        assert resumes, "no socket fell"
        if workers_ > 1 and seconds > 2 * KILL_EVERY:
            assert readies > len(wanderers), "no process died"
