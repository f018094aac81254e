from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from flux.kernel.watch import configure_logging, guard, in_request
from flux.kernel.watch.logs import HIDDEN, MAX_CHARS, redact

log = logging.getLogger("flux.test.logs")


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    in_request(None)


def written(format: str, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level, format, stream)
    return stream


def one_json(stream: io.StringIO) -> dict[str, Any]:
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    found: dict[str, Any] = json.loads(lines[0])
    return found


def test_json_line_has_its_members_and_the_callers_extras() -> None:
    stream = written("json")
    log.warning("disk %s at %d%%", "sda", 97, extra={"request_id": "abc-1", "plane": "content", "bytes": 12})
    line = one_json(stream)
    assert (
        line["level"] == "warning"
        and line["logger"] == "flux.test.logs"
        and line["message"] == "disk sda at 97%"
    )
    assert line["request_id"] == "abc-1" and line["plane"] == "content" and line["bytes"] == 12
    assert (
        abs(time.time() - time.mktime(time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone)
        < 60
    )


def test_lines_carry_the_request_they_belong_to() -> None:
    stream = written("json")
    call = SimpleNamespace(request_id="r-1", plane=SimpleNamespace(name="paygate"), route=None)
    in_request(call)
    log.info("before the route is known")
    call.route = SimpleNamespace(name="GET /apis")
    log.info("after")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["request_id"], first["plane"], first.get("route")) == ("r-1", "paygate", None)
    assert second["route"] == "GET /apis"


def test_levels_below_the_chosen_one_stay_silent() -> None:
    stream = written("text", "error")
    log.warning("not this")
    log.error("this")
    assert "not this" not in stream.getvalue() and "this" in stream.getvalue()


@pytest.mark.parametrize(("level", "format"), [("loud", "text"), ("info", "xml")])
def test_unknown_words_are_refused(level: str, format: str) -> None:
    with pytest.raises(ValueError, match="is none of"):
        configure_logging(level, format)


def test_text_line_cannot_be_split_or_coloured_by_a_value() -> None:
    stream = written("text")
    log.info("name %s", "a\nFAKE line\x1b[31m", extra={"route": "GET /x y"})
    text = stream.getvalue()
    assert text.count("\n") == 1 and "\x1b" not in text and "\\n" in text
    assert 'route="GET /x y"' in text


def test_traceback_is_kept_and_redacted_in_both_formats() -> None:
    for format in ("json", "text"):
        stream = written(format)
        try:
            raise ValueError("password=hunter22 was wrong")
        except ValueError:
            log.exception("failed")
        text = stream.getvalue()
        assert "Traceback" in text and "ValueError" in text and "hunter22" not in text
        assert HIDDEN in text
        if format == "json":
            assert "Traceback" in one_json(stream)["trace"]


def test_values_that_cannot_be_encoded_do_not_lose_the_line() -> None:
    stream = written("json")
    log.info("lone %s", "\ud800")
    assert "lone" in one_json(stream)["message"]


def test_arguments_that_do_not_fit_do_not_raise() -> None:
    stream = written("json")
    log.info("%d apples", "no")
    assert "do not fit" in one_json(stream)["message"]


def test_secret_extras_and_guarded_values_are_hidden() -> None:
    stream = written("json")
    guard("s3cr3t-admin-value")
    log.info("got s3cr3t-admin-value", extra={"api_key": "abc def", "note": "mail s3cr3t-admin-value"})
    line = one_json(stream)
    assert (
        line["message"] == f"got {HIDDEN}" and line["api_key"] == HIDDEN and line["note"] == f"mail {HIDDEN}"
    )


SECRETS = [
    "Authorization: Bearer abcdefTOPSECRET",
    "authorization: Bot 123.TOPSECRET",
    "header Bearer abcdefghijklmnopTOPSECRET rejected",
    '{"password": "TOPSECRET with spaces", "name": "ann"}',
    '{"password": "esc\\"TOPSECRET"}',
    "{'new_password': 'TOPSECRET'}",
    "GET /x?token=TOPSECRET&page=2",
    "GET /callback?code=TOPSECRET",
    "(b'authorization', b'Bearer TOPSECRET')",
    "(b'x-signature', b'0xTOPSECRET')",
    "Cookie: a=1; session=TOPSECRET; b=2",
    "set-cookie: session=TOPSECRET; Path=/",
    "client_secret=TOPSECRET",
    "api-key: TOPSECRET",
    "postgres://flux:TOPSECRET@db/flux",
    "nats: tls://user:TOPSECRET@host:4222",
    "POST /webhooks/123/TOPSECRET",
    "jwt eyJhbGciOiJIUzI1.TOPSECRET.abc",
    "signed 0x" + "ab" * 65 + "TOPSECRET"[:0],
    "X-Payment: TOPSECRET",
    "private_key=0xTOPSECRET",
]


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_hidden(text: str) -> None:
    shown = redact(text)
    assert "TOPSECRET" not in shown and "abab" not in shown and HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "X-Payment-Tx: 0x" + "cd" * 32,
        "PATCH /guilds/123 answered in 5 ms",
        "Basic authentication is off",
        "https://flux.example/errors#community-UNKNOWN_CHANNEL",
        '{"page": 2, "tags": ["a", "b"]}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_what_follows_a_secret_stays() -> None:
    assert redact("GET /x?token=abc&page=2") == f"GET /x?token={HIDDEN}&page=2"
    assert redact("postgres://flux:pw@db/flux") == f"postgres://flux:{HIDDEN}@db/flux"


@pytest.mark.parametrize(
    "text", ["token" * 40_000, "a" * 200_000, "://" * 60_000, '"' * 100_000 + ":", "Bearer " * 30_000]
)
def test_hostile_text_is_cut_and_quick(text: str) -> None:
    began = time.perf_counter()
    shown = redact(text)
    assert time.perf_counter() - began < 0.25
    assert len(shown) < MAX_CHARS * 3
