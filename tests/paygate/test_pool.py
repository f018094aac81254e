"""Kept connections: not for long, not many, and never to where a target must not be."""

from __future__ import annotations

import pytest

from flux.paygate.outside.connection import Connection
from flux.paygate.outside.guard import Guard, NotAllowed
from flux.paygate.outside.pool import IDLE_EACH, KEEP_ALIVE_SECONDS, Pool, origin_of
from flux.paygate.outside.resolving import SystemResolver

ORIGIN = origin_of("https://target.example/base")


def standing(pool: Pool, peer: str = "93.184.216.34") -> Connection:
    connection = Connection(ORIGIN, pool.put)
    connection.alive, connection.peer = True, peer
    return connection


async def test_one_that_waited_too_long_is_not_used_again() -> None:
    pool = Pool(Guard(), SystemResolver())
    old, fresh = standing(pool), standing(pool)
    for one in (old, fresh):
        pool.put(one)
    old.idle_since -= KEEP_ALIVE_SECONDS + 1
    assert pool.take(origin_of("https://other.example/base")) is None
    assert pool.take(ORIGIN) is fresh
    assert pool.take(ORIGIN) is None
    assert not old.alive
    pool.close()


async def test_no_more_are_kept_than_a_target_is_worth() -> None:
    pool = Pool(Guard(), SystemResolver())
    connections = [standing(pool) for _ in range(IDLE_EACH + 1)]
    for one in connections:
        pool.put(one)
    assert [one.alive for one in connections] == [True] * IDLE_EACH + [False]
    pool.close()
    assert not any(one.alive for one in connections)


@pytest.mark.parametrize("peer", ["10.0.0.1", "127.0.0.1", "fe80::1%eth0", ""])
async def test_where_the_socket_ended_up_has_the_last_word(peer: str) -> None:
    pool = Pool(Guard(), SystemResolver())
    connection = standing(pool, peer)
    with pytest.raises(NotAllowed):
        pool._check_peer(connection)
    assert not connection.alive
    pool._check_peer(standing(pool))
