"""Listening sockets, bound before anything else starts so that the port is known."""

from __future__ import annotations

import socket
from collections.abc import Sequence


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener


def widened(listeners: Sequence[socket.socket]) -> list[socket.socket]:
    """Each several times. The loop takes one connection from a listener in each of its turns, and a turn of a busy process
    serves a request of every connection: of sixteen that came at once the last waited for as many turns."""
    return [*listeners, *(listener.dup() for listener in listeners for _ in range(_TAKEN_AT_ONCE - 1))]


_TAKEN_AT_ONCE = 8
