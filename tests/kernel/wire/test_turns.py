"""One task serves a connection's requests in turn; whatever becomes of it, each request is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.kernel.wire import small

from flux.kernel.faults import Ports
from flux.kernel.wire import Call, Routes, Stream
from flux.kernel.wire.server import Application
from flux.kernel.wire.turns import Turns


class Lingering:
    """Chunks whose end takes a while, when all of them are out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left = [b"all"]

    def __aiter__(self) -> Lingering:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()

    async def aclose(self) -> None:
        self._world.lingering.set()
        await self._world.go_on.wait()


class World:
    """Handlers that tell which task runs them."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.lingering = asyncio.Event()
        self.go_on = asyncio.Event()
        self.routes = Routes()
        self.routes.get("/task")(self.task)
        self.routes.get("/lingers")(self.lingers)

    async def task(self, call: Call) -> dict[str, int]:
        running = asyncio.current_task()
        assert running is not None
        self.tasks.append(running)
        return {"running": len(self.tasks)}

    async def lingers(self, call: Call) -> Stream:
        return Stream(Lingering(self), "text/plain", content_length=3)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        planes = [small.build(routes=self.routes), small.build_root()]
        async with small.serving(Application(planes, ports=Ports())) as origin:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
            try:
                yield reader, writer
            finally:
                self.go_on.set()
                writer.close()


async def ask(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], path: str) -> str:
    reader, writer = connection
    writer.write(f"GET /small/{path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return await answer(reader)


async def answer(reader: asyncio.StreamReader) -> str:
    async with asyncio.timeout(20):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].partition("\r")[0])
        await reader.readexactly(size)
    return head.partition(" ")[2][:3]


async def test_a_connections_requests_take_turns_in_one_task() -> None:
    world = World()
    async with world.connection() as connection:
        for _ in range(4):
            assert await ask(connection, "task") == "200"
        assert len(set(world.tasks)) == 1


async def test_a_request_that_lingers_after_its_answer_holds_up_nobody() -> None:
    world = World()
    async with world.connection() as connection:
        assert await ask(connection, "lingers") == "200"
        await world.lingering.wait()
        assert await ask(connection, "task") == "200"
        assert not world.go_on.is_set()
        world.go_on.set()
        assert await ask(connection, "task") == "200"


async def test_pipelined_requests_are_answered_in_order() -> None:
    world = World()
    async with world.connection() as connection:
        paths = ["task", "nowhere", "lingers", "task", "task"]
        world.go_on.set()
        lines = "".join(f"GET /small/{path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths)
        connection[1].write(lines.encode())
        assert [await answer(connection[0]) for _ in paths] == ["200", "404", "200", "200", "200"]


async def test_a_task_that_is_cancelled_while_it_rests_is_replaced() -> None:
    world = World()
    async with world.connection() as connection:
        assert await ask(connection, "task") == "200"
        world.tasks[0].cancel()
        assert await ask(connection, "task") == "200"
        assert world.tasks[1] is not world.tasks[0]


class Given:
    """An exchange, as far as its end is concerned: the moment between two steps of the loop cannot be met over a socket."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.receive = self.send = None
        self.ends: list[BaseException | None] = []

    def ended(self, failure: BaseException | None) -> None:
        self.ends.append(failure)


async def test_a_request_given_to_a_task_that_is_then_cancelled_is_still_ended() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)

    running: set[asyncio.Task[None]] = set()
    turns = Turns(app, asyncio.get_running_loop(), running)
    first, second, third = Given(), Given(), Given()
    turns.take(first)  # type: ignore[arg-type]
    await _until(lambda: first.ends == [None] and not running)
    turns.take(second)  # type: ignore[arg-type]
    assert tasks[0] in running
    tasks[0].cancel()
    await _until(lambda: bool(second.ends) and not running)
    assert isinstance(second.ends[0], asyncio.CancelledError)
    turns.take(third)  # type: ignore[arg-type]
    await _until(lambda: third.ends == [None] and not running)
    turns.leave()
    await _until(lambda: all(task.done() for task in tasks))


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0)
