"""From a path to a compiled route, on Falcon's compiled router.

Falcon wants one name for a place over all templates; ours differ by route, so places are renamed by position and
named again by the route that matched. Falcon compares literal siblings one by one, so each first segment has a
router of its own, found in a dictionary. Segments are matched percent-decoded; an encoded slash stays inside its
segment.
"""

from __future__ import annotations

from urllib.parse import unquote

from falcon.routing import CompiledRouter

from flux.kernel.wire.compiling import PLACE, BadRoute, Compiled, compile_route
from flux.kernel.wire.routes import Route, Routes
from flux.kernel.wire.troubles import Kind, WireTrouble

_SLASH = "\x00"


class _Shard(CompiledRouter):
    """Our resources answer for themselves: there are no responders that Falcon could find fault with."""

    def _require_non_coroutine_responders(self, method_map: object) -> None:
        return


class Resource:
    """What stands at one template: a compiled route for each method."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.by_method: dict[str, Compiled] = {}

    @property
    def allowed(self) -> tuple[str, ...]:
        methods = [method for method in self.by_method if method not in ("*", "WEBSOCKET")]
        if "GET" in methods and "HEAD" not in methods:
            methods.append("HEAD")
        return tuple(sorted(methods))


class Router:
    """All routes of one plane."""

    def __init__(self, routes: Routes) -> None:
        self._shards: dict[str, _Shard] = {}
        self._resources: dict[str, Resource] = {}
        self.compiled: list[Compiled] = []
        for route in routes:
            self._add(route)
        self._open = self._shards.pop("", None)
        for shard in (*self._shards.values(), *([self._open] if self._open else [])):
            # Falcon compiles a router on its first use: before the first request, not during it.
            shard.find("/")

    def _add(self, route: Route) -> None:
        compiled = compile_route(route)
        self.compiled.append(compiled)
        template = self._positional(route.path)
        templates = [template]
        if template.endswith("/{rest:path}"):
            # Falcon's path converter wants at least a slash; an empty rest is the template without it.
            templates.append(template.removesuffix("/{rest:path}") or "/")
        for one in templates:
            resource = self._resources.get(one)
            if resource is None:
                resource = self._resources[one] = Resource(one)
                first = one.split("/", 2)[1]
                name = "" if "{" in first else first
                if name not in self._shards:
                    self._shards[name] = _Shard()
                self._shards[name].add_route(one, resource)
            if route.method in resource.by_method:
                if one != template:
                    continue
                raise BadRoute(f"{route.name} is declared twice")
            resource.by_method[route.method] = compiled

    @staticmethod
    def _positional(path: str) -> str:
        def rename(segment: str, index: int) -> str:
            count = 0

            def one(match: object) -> str:
                nonlocal count
                count += 1
                return f"{{p{index}{'abcdef'[count - 1]}}}"

            return "{rest:path}" if segment.endswith(":path}") else PLACE.sub(one, segment)

        return "/".join(rename(segment, index) for index, segment in enumerate(path.split("/")))

    def find(self, path: str) -> tuple[Resource, list[str]] | None:
        """The resource and its place values in order, or None. `path` is as sent, without its trailing slash."""
        encoded = "%" in path
        if encoded:
            path = decode_path(path)
        shard = self._shards.get(path.split("/", 2)[1])
        found = shard.find(path) if shard is not None else None
        if found is None and (self._open is None or (found := self._open.find(path)) is None):
            return None
        values = list(found[2].values())
        if encoded:
            values = [value.replace(_SLASH, "/") for value in values]
        if "" in values and ("rest" not in found[2] or "" in values[:-1]):
            return None
        return found[0], values  # type: ignore[return-value]


def decode_path(path: str) -> str:
    """Percent-decode by segment; a slash that was encoded becomes a NUL, which `find` turns back."""
    try:
        segments = [unquote(segment, errors="strict") for segment in path.split("/")]
    except UnicodeDecodeError:
        raise WireTrouble(Kind.BAD_UTF8) from None
    for segment in segments:
        if "\x00" in segment:
            raise WireTrouble(Kind.NUL_CHARACTER)
    return "/".join(segment.replace("/", _SLASH) for segment in segments)
