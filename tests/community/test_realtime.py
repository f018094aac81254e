"""The realtime gateway over real sockets: the handshake, who hears what, resuming, and every way to be closed."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import add_bot, bot, guild, person, stranger, unlimited
from tests.community.gateway import PROPERTIES, Closed, GatewayClient
from tests.harness.server import Server, serve

VIEW_CHANNEL = 1 << 10


async def test_the_handshake_of_a_person(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    async with GatewayClient(owner) as client:
        assert client.hello["d"] == {"heartbeat_interval": 41250}
        ready = await client.identify()
        assert client.sequence == 1
        assert ready["version"] == 1
        assert ready["user"]["id"] == owner.id
        assert ready["user"]["email"] == owner.email
        assert [each["id"] for each in ready["guilds"]] == [place.id]
        state = ready["guilds"][0]
        assert state["name"] == state["properties"]["name"] == "Test guild"
        assert {channel["type"] for channel in state["channels"]} == {0, 2, 4}
        assert [role["id"] for role in state["roles"]] == [place.id]
        assert state["members"][0]["user"]["id"] == owner.id
        assert ready["auth_session_id_hash"]
        assert ready["user_settings"]["locale"] == "en-US"


async def test_a_bot_gets_its_guilds_one_by_one(server: Server) -> None:
    owner = await person(server)
    first, second = await guild(owner, "one"), await guild(owner, "two")
    robot, application = await bot(owner)
    for place in (first, second):
        await add_bot(owner, application["id"], place.id)
    async with GatewayClient(robot) as client:
        ready = await client.identify()
        assert ready["guilds"] == [{"id": each.id, "unavailable": True} for each in (first, second)]
        assert {(await client.event("GUILD_CREATE"))["name"] for _ in range(2)} == {"one", "two"}


async def test_messages_reach_everybody_who_sees_the_channel_and_nobody_else(server: Server) -> None:
    owner, member, outsider = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member)
    made = await owner.ok("POST", f"/guilds/{place.id}/channels", {"name": "staff", "type": 0})
    hidden = {"type": 0, "deny": str(VIEW_CHANNEL)}
    await owner.ok("PUT", f"/channels/{made['id']}/permissions/{place.id}", hidden)
    async with GatewayClient(owner) as one, GatewayClient(member) as two, GatewayClient(outsider) as three:
        for client in (one, two, three):
            await client.identify()
        sent = await place.say(owner, "for all", nonce="abc")
        for client in (one, two):
            heard = await client.event("MESSAGE_CREATE")
            assert heard["id"] == sent["id"]
            assert heard["guild_id"] == place.id
            assert heard["channel_type"] == 0
            assert heard["nonce"] == "abc"
            assert heard["member"]["user"]["id"] == owner.id
        await owner.ok("POST", f"/channels/{made['id']}/messages", {"content": "for staff"})
        assert (await one.event("MESSAGE_CREATE"))["content"] == "for staff"
        await two.nothing("MESSAGE_CREATE")
        await three.nothing("MESSAGE_CREATE")


async def test_editing_deleting_and_typing_are_told(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    async with GatewayClient(owner) as client:
        await client.identify()
        said = await place.say(owner, "first")
        await owner.ok("PATCH", f"/channels/{place.text}/messages/{said['id']}", {"content": "second"})
        changed = await client.event("MESSAGE_UPDATE")
        assert (changed["content"], changed["edited_timestamp"] is not None) == ("second", True)
        await owner.ok("POST", f"/channels/{place.text}/typing")
        typing = await client.event("TYPING_START")
        assert typing["user_id"] == owner.id
        assert isinstance(typing["timestamp"], int)
        await owner.ok("DELETE", f"/channels/{place.text}/messages/{said['id']}")
        gone = await client.event("MESSAGE_DELETE")
        assert (gone["id"], gone["author_id"], gone["guild_id"]) == (said["id"], owner.id, place.id)


async def test_losing_and_gaining_sight_of_a_channel(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    role = await place.role(0, member)
    async with GatewayClient(member) as client:
        await client.identify()
        where = f"/channels/{place.text}/permissions/"
        await owner.ok("PUT", where + place.id, {"type": 0, "deny": str(VIEW_CHANNEL)})
        assert (await client.event("CHANNEL_DELETE"))["id"] == place.text
        await place.say(owner, "unheard")
        await owner.ok("PUT", where + role, {"type": 0, "allow": str(VIEW_CHANNEL)})
        assert (await client.event("CHANNEL_CREATE"))["id"] == place.text
        await owner.ok("DELETE", f"/guilds/{place.id}/members/{member.id}/roles/{role}")
        assert (await client.event("CHANNEL_DELETE"))["id"] == place.text
        await owner.ok("PUT", f"/guilds/{place.id}/members/{member.id}/roles/{role}")
        assert (await client.event("CHANNEL_CREATE"))["name"] == "general"
        await owner.ok("PATCH", f"/guilds/{place.id}/roles/{role}", {"permissions": "8"})
        await owner.ok("DELETE", f"/guilds/{place.id}/roles/{role}")
        assert (await client.event("CHANNEL_DELETE"))["id"] == place.text
        assert not [each for each in client.seen if each.get("t") == "MESSAGE_CREATE"]


async def test_joining_and_leaving_while_connected(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    async with GatewayClient(owner) as host, GatewayClient(member) as guest:
        await host.identify()
        await guest.identify()
        await place.admit(member)
        joined = await host.event("GUILD_MEMBER_ADD")
        assert (joined["user"]["id"], joined["guild_id"]) == (member.id, place.id)
        assert (await guest.event("GUILD_CREATE"))["id"] == place.id
        await place.say(owner, "welcome")
        async with asyncio.timeout(30):
            while (await guest.event("MESSAGE_CREATE"))["content"] != "welcome":
                pass
        await owner.ok("DELETE", f"/guilds/{place.id}/members/{member.id}")
        assert await guest.event("GUILD_DELETE") == {"id": place.id}
        assert (await host.event("GUILD_MEMBER_REMOVE"))["user"]["id"] == member.id
        await place.say(owner, "gone")
        await guest.nothing("MESSAGE_CREATE", "GUILD_MEMBER_REMOVE")


async def test_deleting_a_guild_is_told_to_its_members(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    async with GatewayClient(member) as client:
        await client.identify()
        await owner.ok("POST", f"/guilds/{place.id}/delete", {"password": "correct horse battery"})
        assert await client.event("GUILD_DELETE") == {"id": place.id}


async def test_ignored_events_are_not_numbered(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    async with GatewayClient(owner) as client:
        await client.identify(ignored_events=["typing_start"])
        before = client.sequence
        await owner.ok("POST", f"/channels/{place.text}/typing")
        await place.say(owner)
        await client.event("MESSAGE_CREATE")
        assert client.sequence == (before or 0) + 1


@pytest.mark.parametrize("compress", ["zlib-stream", "zstd-stream", "snappy"])
async def test_compressed_streams(server: Server, compress: str) -> None:
    owner = await person(server)
    place = await guild(owner)
    async with GatewayClient(owner, compress=compress) as client:
        await client.identify()
        for number in range(20):
            await place.say(owner, f"message {number}" * 20)
            assert (await client.event("MESSAGE_CREATE"))["content"].startswith(f"message {number}")
        await client.heartbeat()


async def test_a_dropped_connection_resumes_without_loss_or_repeat(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    client = GatewayClient(owner)
    await client.connect()
    await client.identify()
    await place.say(owner, "one")
    await client.event("MESSAGE_CREATE")
    last = client.sequence
    client.drop()
    for content in ("two", "three"):
        await place.say(owner, content)
    await client.connect()
    await client.resume(last)
    replayed = [await client.receive() for _ in range(3)]
    assert [(each["t"], each["s"]) for each in replayed] == [
        ("MESSAGE_CREATE", (last or 0) + 1),
        ("MESSAGE_CREATE", (last or 0) + 2),
        ("RESUMED", (last or 0) + 2),
    ]
    assert [each["d"]["content"] for each in replayed[:2]] == ["two", "three"]
    await place.say(owner, "four")
    assert (await client.receive())["s"] == (last or 0) + 3
    await client.close()


async def test_a_clean_goodbye_ends_the_session(server: Server) -> None:
    owner = await person(server)
    client = GatewayClient(owner)
    await client.connect()
    await client.identify()
    await client.socket.close(code=1000)
    await client.connect()
    await client.resume()
    assert await client.receive() == {"op": 9, "d": False}
    await client.identify()
    await client.close()


async def test_a_clean_goodbye_ends_the_session_whatever_is_told_meanwhile(server: Server) -> None:
    """An event that comes between the client's close frame and its handler changes nothing of it."""
    owner, member = [await unlimited(await person(server)) for _ in range(2)]
    place = await guild(owner)
    await place.admit(member)
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(GatewayClient(member)) for _ in range(20)]
        for client in clients:
            await client.identify()
        for start in range(0, len(clients), 4):
            said = [place.say(owner, f"meanwhile {number}") for number in range(8)]
            await asyncio.gather(*said, *(client.close() for client in clients[start : start + 4]))
        async with asyncio.timeout(30):
            while True:
                async with GatewayClient(member) as last:
                    sessions = (await last.identify())["sessions"]
                if len(sessions) == 2:
                    break
                await asyncio.sleep(0.1)


async def test_acknowledged_events_cannot_be_asked_for_again(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    client = GatewayClient(owner)
    await client.connect()
    await client.identify()
    await place.say(owner)
    await client.event("MESSAGE_CREATE")
    await client.heartbeat()
    client.drop()
    await client.connect()
    await client.resume(after=0)
    assert await client.receive() == {"op": 9, "d": False}
    await client.close()


async def test_a_session_taken_over_closes_its_old_connection(server: Server) -> None:
    owner = await person(server)
    async with GatewayClient(owner) as old, GatewayClient(owner) as new:
        await old.identify()
        new.session_id, new.sequence = old.session_id, old.sequence
        await new.resume()
        assert (await new.receive())["t"] == "RESUMED"
        assert await old.closed_with() == 4000


# -- closing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["", "2", "abc"])
async def test_another_version_is_closed_with_4012(server: Server, version: str) -> None:
    client = GatewayClient(stranger(server), version=version)
    await client.connect(hello=False)
    assert await client.closed_with() == 4012
    await client.close()


async def raw_close(server: Server, text: str | bytes) -> int | None:
    async with GatewayClient(stranger(server)) as client:
        if isinstance(text, bytes):
            await client.socket.send_bytes(text)
        else:
            await client.socket.send_str(text)
        return await client.closed_with()


@pytest.mark.parametrize("op", [0, 5, 7, 9, 10, 11, 12, 13, 15, 99, -1])
async def test_opcodes_that_clients_do_not_send(server: Server, op: int) -> None:
    assert await raw_close(server, json.dumps({"op": op, "d": None})) == 4001


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "[]", "{}", '{"op":"1"}', '{"op":1', b"\xff\xfe", '{"op":2}', '{"op":2,"d":{"token":"x"}}',
        '{"op":2,"d":{"token":"x","properties":{"os":"x"}}}', '{"op":6,"d":[]}', json.dumps({"op": 1, "d": "x" * 4096}),
        "[" * 4000, '{"op":1,"d":' + "[" * 3000,
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_closed_with_4002(server: Server, text: str | bytes) -> None:
    assert await raw_close(server, text) == 4002


@pytest.mark.parametrize("op", [3, 4, 8, 14])
async def test_talking_before_identifying(server: Server, op: int) -> None:
    assert await raw_close(server, json.dumps({"op": op, "d": {}})) == 4003


@pytest.mark.parametrize("token", ["", "x", "flx_" + "a" * 36, "1.aaa", "Bot 1." + "a" * 43])
async def test_a_bad_token_is_closed_with_4004(server: Server, token: str) -> None:
    body = {"op": 2, "d": {"token": token, "properties": PROPERTIES}}
    assert await raw_close(server, json.dumps(body)) == 4004


async def test_resuming_with_another_token_is_closed_with_4004(server: Server) -> None:
    owner, thief = await person(server), await person(server)
    async with GatewayClient(owner) as client, GatewayClient(thief) as other:
        await client.identify()
        other.session_id, other.sequence = client.session_id, client.sequence
        await other.resume()
        assert await other.closed_with() == 4004


async def test_a_revoked_session_is_closed_with_4004(server: Server) -> None:
    owner = await person(server)
    async with GatewayClient(owner) as client:
        await client.identify()
        await owner.ok("POST", "/auth/logout")
        assert await client.closed_with() == 4004


async def test_identifying_twice_is_closed_with_4005(server: Server) -> None:
    owner = await person(server)
    async with GatewayClient(owner) as client:
        await client.identify()
        await client.send(2, {"token": client.token, "properties": PROPERTIES})
        assert await client.closed_with() == 4005


@pytest.mark.parametrize("number", [99, -1, "1", 1.5, True, {}])
async def test_a_sequence_of_the_future_is_closed_with_4007(server: Server, number: Any) -> None:
    owner = await person(server)
    async with GatewayClient(owner) as client:
        await client.identify()
        await client.send(1, number)
        assert await client.closed_with() == 4007


async def test_resuming_ahead_of_the_server_is_closed_with_4007(server: Server) -> None:
    owner = await person(server)
    client = GatewayClient(owner)
    await client.connect()
    await client.identify()
    client.drop()
    await client.connect()
    await client.resume(after=1000)
    assert await client.closed_with() == 4007
    await client.close()


async def test_the_121st_payload_in_a_minute_is_closed_with_4008(server: Server) -> None:
    async with GatewayClient(stranger(server)) as client:
        for _ in range(121):
            await client.send(1)
        with pytest.raises(Closed) as closed:
            for _ in range(121):
                assert (await client.receive())["op"] == 11
        assert closed.value.code == 4008
        assert len([each for each in client.seen if each["op"] == 11]) == 120


async def test_a_silent_client_is_prodded_and_then_closed_with_4009(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        owner = await person(server)
        async with GatewayClient(owner) as client:
            await client.identify()
            await server.sandbox.clock(38)
            async with asyncio.timeout(30):
                while (await client.receive())["op"] != 1:
                    pass
            await client.heartbeat()
            await server.sandbox.clock(30)
            await client.nothing("READY")
            await server.sandbox.clock(30)
            assert await client.closed_with() == 4009
            await client.connect()
            await client.resume()
            assert (await client.receive())["t"] == "RESUMED"
            await client.heartbeat()
        client = GatewayClient(owner)
        await client.connect()
        await client.identify()
        client.drop()
        await _no_socket_open(server)
        await server.sandbox.clock(181)
        await client.connect()
        await client.resume()
        assert await client.receive() == {"op": 9, "d": False}
        await client.close()


async def _no_socket_open(server: Server) -> None:
    """Once the server has noticed what was dropped."""
    async with asyncio.timeout(30):
        while True:
            lines = (await server.http.get("/metrics")).text.splitlines()
            opened = [line for line in lines if line.startswith("flux_open_sockets{")]
            if opened and all(float(line.rpartition(" ")[2]) == 0 for line in opened):
                return
            await asyncio.sleep(0.05)


async def test_the_server_stopping_tells_clients_to_come_back(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        owner = await person(server)
        async with GatewayClient(owner) as client:
            await client.identify()
            server.process.terminate()
            payloads = []
            with pytest.raises(Closed) as closed:
                while True:
                    payloads.append(await client.receive())
            assert payloads[-1] == {"op": 7, "d": None}
            assert closed.value.code == 4000
        server.terminate()


async def test_a_reader_that_does_not_read_is_dropped_and_can_resume(tmp_path: Path) -> None:
    settings = {
        "community.realtime.queue_bytes": 200_000,
        "community.realtime.buffer_bytes": 64_000_000,
        "community.rate_limits.enabled": False,
        "community.limits.message_length": 10_000,
    }
    async with serve(tmp_path, settings=settings) as server:
        owner = await person(server)
        place = await guild(owner)
        # Small buffers on this side, so that the server soon has nowhere to write.
        reader, writer = await _raw_socket(server)
        token = (owner.authorization or "").encode()
        body = (
            b'{"op":2,"d":{"token":"%s","properties":{"os":"linux","browser":"tests","device":"tests"}}}'
            % token
        )
        _masked(writer, body)
        session_id = await _ready_session(reader)
        sent = 700
        for number in range(sent):
            await place.say(owner, f"{number} " + "x" * 9000)
        received, code = await _drain(reader)
        # None: who reads nothing for very long may find the connection at its end before the close frame.
        assert code in (4000, None)
        assert 0 < len(received) < sent
        writer.close()
        async with GatewayClient(owner) as client:
            client.session_id = session_id
            await client.resume(after=received[-1]["s"])
            missing = []
            while len(received) + len(missing) < sent:
                missing.append(await client.receive())
            numbers = [int(each["d"]["content"].split()[0]) for each in (*received, *missing)]
            assert numbers == list(range(sent))


async def _raw_socket(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    import socket
    from urllib.parse import urlsplit

    where = urlsplit(server.origin)
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, (where.hostname, where.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=2048)
    head = (
        f"GET /community/gateway?v=1 HTTP/1.1\r\nHost: {where.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def _masked(writer: asyncio.StreamWriter, body: bytes) -> None:
    """A client frame with a mask of zeros."""
    assert 125 < len(body) < 65_536
    writer.write(b"\x81" + bytes([0x80 | 126]) + len(body).to_bytes(2, "big") + b"\0\0\0\0" + body)


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, second = await asyncio.wait_for(reader.readexactly(2), 30)
    size = second & 127
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 15, await asyncio.wait_for(reader.readexactly(size), 30)


async def _ready_session(reader: asyncio.StreamReader) -> str:
    while True:
        _, body = await _frame(reader)
        payload = json.loads(body)
        if payload.get("t") == "READY":
            return str(payload["d"]["session_id"])


async def _drain(reader: asyncio.StreamReader) -> tuple[list[dict[str, Any]], int | None]:
    """MESSAGE_CREATE payloads until the close frame, and its code; None when the connection ended without one."""
    received = []
    while True:
        try:
            opcode, body = await _frame(reader)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return received, None
        if opcode == 8:
            return received, int.from_bytes(body[:2], "big")
        payload = json.loads(body)
        if payload.get("t") == "MESSAGE_CREATE":
            received.append(payload)


async def test_members_on_request(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    async with GatewayClient(owner) as host, GatewayClient(member) as guest:
        await host.identify()
        await guest.identify()
        await host.send(8, {"guild_id": place.id, "nonce": "n"})
        chunk = await host.event("GUILD_MEMBERS_CHUNK")
        assert {each["user"]["id"] for each in chunk["members"]} == {owner.id, member.id}
        assert (chunk["chunk_index"], chunk["chunk_count"], chunk["nonce"]) == (0, 1, "n")
        await guest.send(8, {"guild_id": place.id, "user_ids": [owner.id, "1"]})
        chunk = await guest.event("GUILD_MEMBERS_CHUNK")
        assert [each["user"]["id"] for each in chunk["members"]] == [owner.id]
        await guest.send(8, {"guild_id": place.id, "query": member.username[:9].upper(), "limit": 5})
        chunk = await guest.event("GUILD_MEMBERS_CHUNK")
        assert [each["user"]["id"] for each in chunk["members"]] == [member.id]
        await guest.send(8, {"guild_id": place.id})
        while (payload := await guest.receive())["op"] != 12:
            pass
        assert payload["d"]["code"] == "VOICE_PERMISSION_DENIED"


async def test_presence_of_a_small_guild(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    async with GatewayClient(owner) as host:
        await host.identify()
        guest = GatewayClient(member)
        await guest.connect()
        await guest.identify(presence={"status": "idle"})
        assert (await host.event("PRESENCE_UPDATE"))["status"] == "idle"
        await guest.send(3, {"status": "dnd", "since": None, "activities": []})
        told = await host.event("PRESENCE_UPDATE")
        assert (told["user"]["id"], told["status"], told["guild_id"]) == (member.id, "dnd", place.id)
        await guest.close()
