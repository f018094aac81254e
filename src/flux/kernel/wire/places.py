"""Where a path leads, remembered: the same paths come again and again.

A `Place` is what a raw request path resolves to; a `Visit` is one method on it, with its path values already
converted. Both are immutable once made and shared by requests. Unknown paths have a small memory of their own, so
that a scan for holes cannot push out what is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flux.kernel.wire.compiling import Compiled
from flux.kernel.wire.planes import Plane
from flux.kernel.wire.routing import Resource, Router
from flux.kernel.wire.troubles import Problem, WireTrouble

KNOWN = 8192
UNKNOWN = 512


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


class Places:
    """Planes by their mounts, or by their hosts at the root. `mount=""` takes every other path."""

    def __init__(self, planes: Sequence[Plane]) -> None:
        self.routers = {plane.name: Router(plane.routes) for plane in planes}
        self._by_mount = {plane.mount: plane for plane in planes if plane.mount}
        self._root = next(plane for plane in planes if not plane.mount)
        self._by_host = {plane.host.lower().encode(): plane for plane in planes if plane.host}
        self._known: dict[bytes, Place] = {}
        self._unknown: dict[bytes, Place] = {}
        self.find: Callable[[bytes, Mapping[bytes, bytes]], Place] = (
            self._by_path if not self._by_host else self._by_name
        )

    def _by_path(self, raw_path: bytes, headers: Mapping[bytes, bytes]) -> Place:
        place = self._known.get(raw_path) or self._unknown.get(raw_path)
        if place is None:
            place = self._resolve(raw_path)
            memory, most = (self._unknown, UNKNOWN) if place.resource is None else (self._known, KNOWN)
            if len(memory) >= most:
                memory.clear()
            memory[raw_path] = place
        return place

    def _by_name(self, raw_path: bytes, headers: Mapping[bytes, bytes]) -> Place:
        plane = self._by_host.get(headers.get(b"host", b"").partition(b":")[0].lower())
        if plane is None:
            return self._by_path(raw_path, headers)
        return Place(plane, _stripped(plane, raw_path.decode("latin-1")), self.routers[plane.name])

    def _resolve(self, raw_path: bytes) -> Place:
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
