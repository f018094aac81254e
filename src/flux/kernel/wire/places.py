"""Where a path leads, remembered: the same paths come again and again.

A `Place` is what a raw request path resolves to; a `Visit` is one method on it, with its path values already
converted. Both are immutable once made and shared by requests. Unknown paths have a small memory of their own, so
that a scan for holes cannot push out what is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from flux.kernel.wire.compiling import Compiled
from flux.kernel.wire.planes import Plane
from flux.kernel.wire.routing import Resource, Router
from flux.kernel.wire.troubles import Problem, WireTrouble

KNOWN = 8192
UNKNOWN = 512
LONGEST = 512
"""Longer paths are resolved anew each time: remembering thousands of them would cost more memory than the house."""


class Visit:
    """One method on a place. `compiled` is None where the method is not served; `problems` tell which path values
    do not fit."""

    __slots__ = ("compiled", "params", "problems", "values")

    def __init__(self, compiled: Compiled | None, texts: Sequence[str]) -> None:
        self.compiled = compiled
        self.params: Mapping[str, str] = {}
        self.values: Mapping[str, Any] = {}
        self.problems: list[Problem] = []
        if compiled is not None:
            # A rest that matched nothing is empty.
            padded = [*texts, ""] if len(texts) < len(compiled.places) else texts
            self.params = dict(zip(compiled.places, padded, strict=True))
            self.values, self.problems = compiled.convert(self.params)


class Place:
    """`path` is below the plane's mount, as sent, without a trailing slash. `trouble` is a path that cannot be read."""

    __slots__ = ("_visits", "path", "plane", "resource", "slashed", "texts", "trouble")

    def __init__(self, plane: Plane, path: str, router: Router) -> None:
        self.plane = plane
        self.slashed = len(path) > 1 and path[-1] == "/"
        self.path = (path.rstrip("/") or "/") if self.slashed else path
        self.resource: Resource | None = None
        self.texts: Sequence[str] = ()
        self.trouble: WireTrouble | None = None
        self._visits: dict[str, Visit] = {}
        try:
            found = router.find(self.path)
        except WireTrouble as trouble:
            self.trouble = trouble
            return
        if found is not None:
            self.resource, self.texts = found

    @classmethod
    def below(cls, plane: Plane, path: str) -> Place:
        """A path that a plane makes up itself, for a call within a call: routed already, so without a resource."""
        place = cls.__new__(cls)
        place.plane, place.path, place.slashed = plane, path, False
        place.resource, place.texts, place.trouble, place._visits = None, (), None, {}
        return place

    def visit(self, method: str) -> Visit:
        known = self._visits.get(method)
        if known is not None:
            return known
        compiled = None
        if self.resource is not None:
            methods = self.resource.by_method
            compiled = methods.get(method)
            if compiled is None and method != "WEBSOCKET":
                compiled = (methods.get("GET") if method == "HEAD" else None) or methods.get("*")
        made = Visit(compiled, self.texts)
        if compiled is not None:
            # Only methods that are served: clients may invent any number of others.
            self._visits[method] = made
        return made


class Memory:
    """Places by path, under one way of finding their plane."""

    __slots__ = ("_known", "_resolve", "_unknown")

    def __init__(self, resolve: Callable[[bytes], Place]) -> None:
        self._resolve = resolve
        self._known: dict[bytes, Place] = {}
        self._unknown: dict[bytes, Place] = {}

    def find(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Place:
        raw_path: bytes = scope["raw_path"]
        place = self._known.get(raw_path) or self._unknown.get(raw_path)
        if place is None:
            place = self._resolve(raw_path)
            if len(raw_path) <= LONGEST:
                memory, most = (self._unknown, UNKNOWN) if place.resource is None else (self._known, KNOWN)
                if len(memory) >= most:
                    memory.clear()
                memory[raw_path] = place
        return place


class Places:
    """Planes by their mounts, or at the root of a host or a port of their own. `mount=""` takes every other path."""

    def __init__(self, planes: Sequence[Plane]) -> None:
        self.routers = {plane.name: Router(plane.routes) for plane in planes}
        self._by_mount = {plane.mount: plane for plane in planes if plane.mount}
        self._root = next(plane for plane in planes if not plane.mount)
        rooted = {
            plane.name: Memory(partial(self._at_root, plane)) for plane in planes if plane.host or plane.port
        }
        self._by_host = {plane.host.lower().encode(): rooted[plane.name] for plane in planes if plane.host}
        self._by_port = {plane.port: rooted[plane.name] for plane in planes if plane.port}
        self._mounted = Memory(self._below_mount)
        self.find = self._by_door if rooted else self._mounted.find

    def _by_door(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> Place:
        memory = None
        if self._by_port and (server := scope.get("server")):
            memory = self._by_port.get(server[1])
        if memory is None and self._by_host:
            memory = self._by_host.get(headers.get(b"host", b"").partition(b":")[0].rstrip(b".").lower())
        return (memory or self._mounted).find(scope, headers)

    def _at_root(self, plane: Plane, raw_path: bytes) -> Place:
        return Place(plane, _stripped(plane, raw_path.decode("latin-1")), self.routers[plane.name])

    def _below_mount(self, raw_path: bytes) -> Place:
        path = raw_path.decode("latin-1")
        end = path.find("/", 1)
        mount = path if end < 0 else path[:end]
        plane = self._by_mount.get(mount)
        if plane is None:
            return Place(self._root, path, self.routers[self._root.name])
        return Place(plane, _stripped(plane, path[len(mount) :] or "/"), self.routers[plane.name])


def _stripped(plane: Plane, path: str) -> str:
    for prefix in plane.strip:
        if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
            return path[len(prefix) :] or "/"
    return path
