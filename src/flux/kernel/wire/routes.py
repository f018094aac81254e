"""Routes are data: they feed the router, OpenAPI, the error reference and the tests.

    routes = Routes(tag="messages")

    @routes.post("/channels/{channel_id}/messages", auth=MEMBER, raises=[UNKNOWN_CHANNEL, MISSING_PERMISSIONS])
    async def send_message(call: Call, channel_id: Snowflake, body: MessageCreate) -> Message:
        '''Send a message to a text channel.'''

The signature is read once, when the plane is mounted (`compiling.py`):
  `call`              first, always
  path parameters     by name; their annotation converts them (str as is; others through msgspec or `from_wire`)
  `query: Struct`     from the query string; list fields take repeated keys
  `body: T`           the JSON body, validated; absent body with a default argument is allowed
  `body: Body[T]`     the same, but decoded only when the handler awaits `body.read()`: for planes whose checks
                      of the resource come before those of the body
  the return value    see replies.py
`{rest:path}` at the end takes all remaining segments, none included.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flux.kernel.faults import Fault

Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)


@dataclass(slots=True, eq=False)
class Route:
    """One method on one path template. `auth` and `bucket` are the plane's own words, read by its gate."""

    method: str
    path: str
    handler: Handler
    raises: tuple[Fault, ...] = ()
    auth: Any = None
    bucket: Any = None
    status: int = 200
    body_limit: int | None = None
    timeout: float | None = None
    tag: str = ""
    hidden: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    name: str = field(init=False)
    """`POST /channels/{channel_id}/messages`: how the route is called in references and records."""

    def __post_init__(self) -> None:
        self.name = f"{self.method} {self.path}"

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or self.handler.__name__.replace("_", " ")).strip().split("\n")[0]


class Routes:
    """The routes of one room, or of a plane when joined."""

    def __init__(self, *, tag: str = "", prefix: str = "") -> None:
        self.tag = tag
        self.prefix = prefix
        self._routes: list[Route] = []

    def route(
        self, method: str, path: str, *, raises: Sequence[Fault] = (), **options: Any
    ) -> Callable[[H], H]:
        """`method` is upper case, `*` for any, `WEBSOCKET` for a socket handler `(call, socket, …)`."""
        known = {
            name: options.pop(name)
            for name in ("auth", "bucket", "status", "body_limit", "timeout", "hidden")
            if name in options
        }

        def register(handler: H) -> H:
            tag = options.pop("tag", self.tag)
            self._routes.append(
                Route(
                    method,
                    self.prefix + path,
                    handler,
                    raises=tuple(raises),
                    tag=tag,
                    options=options,
                    **known,
                )
            )
            return handler

        return register

    def get(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("DELETE", path, **options)

    def any(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("*", path, **options)

    def socket(self, path: str, **options: Any) -> Callable[[H], H]:
        return self.route("WEBSOCKET", path, **options)

    def include(self, *others: Routes) -> Routes:
        for other in others:
            self._routes.extend(other)
        return self

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def __len__(self) -> int:
        return len(self._routes)

    @staticmethod
    def joined(rooms: Iterable[Routes]) -> Routes:
        return Routes().include(*rooms)
