"""One request and its attempts, without the sending: what the two clients share.

An `Ask` is what the caller wants; an `Exchange` makes a fresh httpx request of it for every attempt and turns
every outcome into an answer, a wait or an exception.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import IO, Any

import httpx

from flux.client.dialects import Dialect
from flux.client.errors import Answer, FluxError, NoAnswerInTime, Unreachable, UnreadableAnswer
from flux.client.retrying import IDEMPOTENT_METHODS, Attempts, RetryPolicy

Params = Mapping[str, Any]
FileContent = bytes | str | IO[bytes]
File = FileContent | tuple[str | None, FileContent] | tuple[str | None, FileContent, str | None]
Files = Mapping[str, File] | Sequence[tuple[str, File]]

USER_AGENT = "flux-client/0.1"


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as the caller words it. At most one of `json`, `content` and `data`/`files` is given."""

    method: str
    path: str
    json: Any = None
    params: Params | None = None
    headers: Mapping[str, str] | None = None
    files: Files | None = None
    data: Mapping[str, Any] | None = None
    content: bytes | str | None = None
    idempotent: bool | None = None
    timeout: float | None = None


class Exchange:
    def __init__(
        self, ask: Ask, base_url: str, dialect: Dialect, policy: RetryPolicy, timeout: float
    ) -> None:
        self._ask = ask
        self._method = ask.method.upper()
        self._url = join(base_url, ask.path)
        self._dialect = dialect
        self._policy = policy
        self._timeout = timeout if ask.timeout is None else ask.timeout
        idempotent = self._method in IDEMPOTENT_METHODS if ask.idempotent is None else ask.idempotent
        self._attempts = Attempts(policy, dialect, idempotent=idempotent, repeatable=rewindable(ask.files))

    def request(self, http: httpx.Client | httpx.AsyncClient) -> httpx.Request:
        """The request of the next attempt. Its timeout ends at the deadline of the whole exchange."""
        ask = self._ask
        return http.build_request(
            self._method,
            self._url,
            json=ask.json,
            params=None if ask.params is None else {k: v for k, v in ask.params.items() if v is not None},
            headers={"Accept": "application/json", "User-Agent": USER_AGENT, **(ask.headers or {})},
            files=ask.files,
            data=ask.data,
            content=ask.content,
            timeout=max(0.001, min(self._timeout, self._attempts.remaining())),
        )

    def lost(self, trouble: httpx.RequestError) -> float:
        """Seconds to wait before the next attempt after no answer arrived, or raises `Unreachable`."""
        if isinstance(trouble, httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            raise trouble  # the caller's own mistake: nothing left this machine
        kind = NoAnswerInTime if isinstance(trouble, httpx.TimeoutException) else Unreachable
        error = kind(f"{self._method} {self._dialect.name}: {type(trouble).__name__}: {trouble}")
        error.__cause__ = trouble
        return self._attempts.after(error)

    def garbled(self, response: httpx.Response) -> float:
        """As `judge`, for an answer whose body cannot be decompressed."""
        return self._attempts.after(
            UnreadableAnswer(self._answer(response, b""), "a body that cannot be decompressed")
        )

    def judge(self, response: httpx.Response) -> float | None:
        """None when the answer is a success; otherwise seconds to wait, or raises its exception."""
        if response.status_code < 400:
            return None
        return self._attempts.after(
            self._dialect.read(self._answer(response, response.content), self._ask.path)
        )

    def decoded(self, response: httpx.Response) -> Any:
        """The JSON of a success, None when it has no body."""
        if not response.content:
            return None
        answer = self._answer(response, response.content)
        try:
            return answer.json()
        except ValueError:
            error: FluxError = UnreadableAnswer(answer, "a success whose body is not JSON")
        raise error

    def _answer(self, response: httpx.Response, body: bytes) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        now = self._policy.wall_clock()
        return Answer(response.status_code, headers, body, self._method, str(response.request.url), now)


def join(base_url: str, path: str) -> str:
    """`path` below `base_url`. Dot segments are refused: they would leave the plane, credentials and all."""
    bare = path.partition("?")[0]
    if any(segment in (".", "..") for segment in bare.split("/")):
        raise ValueError(f"a path with dot segments: {bare!r}")
    return f"{base_url.rstrip('/')}/{path.lstrip('/')}"


def checked_base(url: str) -> str:
    """`url` without its last slash. Raises ValueError unless it is http(s) with a host and neither query nor fragment."""
    parsed = httpx.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment:
        raise ValueError(f"not a base URL: {url!r}")
    return url.rstrip("/")


def rewindable(files: Files | None) -> bool:
    """Whether every file can be sent a second time."""
    entries = files.values() if isinstance(files, Mapping) else [file for _, file in files or ()]
    for entry in entries:
        content = entry[1] if isinstance(entry, tuple) else entry
        if not isinstance(content, bytes | str) and not content.seekable():
            return False
    return True


def message_ask(
    channel_id: int | str, fields: Mapping[str, Any], files: Sequence[tuple[str, FileContent]]
) -> Ask:
    """A message for a channel: JSON alone, or `payload_json` beside `files[0]`, `files[1]` … when there are files."""
    path = f"/channels/{snowflake(channel_id)}/messages"
    if not files:
        return Ask("POST", path, json=dict(fields))
    listed = [{"id": index, "filename": name} for index, (name, _) in enumerate(files)]
    payload = json.dumps({"attachments": listed, **fields})
    parts: list[tuple[str, File]] = [("payload_json", (None, payload, "application/json"))]
    parts += [(f"files[{index}]", (name, content)) for index, (name, content) in enumerate(files)]
    return Ask("POST", path, files=parts)


def snowflake(value: int | str) -> str:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"not an id: {value!r}")
    return text


def no_cookies() -> CookieJar:
    """A jar that keeps nothing: one pool of connections may serve several users, whose cookies must not mix."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))
