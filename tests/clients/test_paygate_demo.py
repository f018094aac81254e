"""`flux paygate demo`, and the five minutes of README and docs/paygate.md: run for real, as they stand."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.entrances.running import ROOT, children, environment, flux, refusal
from tests.harness.server import free_port

from flux.demonstration.walk import PROVIDER

SECONDS = 120.0
FENCE = re.compile(r"```(python|js)\n(.*?)```", re.DOTALL)
STEPS = (
    "A chain of our own", "A test token, USDC, is deployed", "Flux is up", "logs in with its wallet", "It lists its API",
    "401 MISSING_PAYMENT_TX", "The quote is 0.001 ETH", "calls: 200", "X-Payment-Status: consumed",
    "402 INSUFFICIENT_PAYMENT, payment_already_used", "calls again: 200", "on the operator's gas",
    "sold 2 calls and earned 0.001 ETH and 0.01 USDC", "it has 0.01 USDC",
)  # fmt: skip


def blocks(text: str) -> list[tuple[str, str]]:
    return FENCE.findall(text)


def readme() -> str:
    """Its part about the paygate."""
    return (ROOT / "README.md").read_text("utf-8").partition("### Paygate\n")[2].partition("\n### ")[0]


DOCUMENTED = [
    pytest.param(language, code, id=f"{name}-{index}-{language}")
    for name, text in (("readme", readme()), ("docs", (ROOT / "docs" / "paygate.md").read_text("utf-8")))
    for index, (language, code) in enumerate(blocks(text))
]


@contextmanager
def kept_demo() -> Iterator[dict[str, str]]:
    """`flux paygate demo --keep`; the variables it printed. Ends it by Ctrl-C and sees that nothing is left."""
    command = [sys.executable, "-m", "flux.cli", "paygate", "demo", "--keep", "--port", str(free_port())]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed: dict[str, str] = {}
    try:
        for line in process.stdout:
            name, _, value = line.strip().removeprefix("export ").partition("=")
            if line.startswith("export "):
                printed[name] = value
            if "go on with docs/paygate.md" in line:
                break
        assert process.poll() is None, "the demonstration ended"
        started = children(process.pid)
        assert len(started) >= 2
        yield printed
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
        assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]
    finally:
        process.terminate()
        process.wait(SECONDS)
        process.stdout.close()


@pytest.fixture(scope="module")
def demo() -> Iterator[dict[str, str]]:
    with kept_demo() as printed:
        yield printed


def run(language: str, code: str, variables: dict[str, str]) -> str:
    command = [sys.executable, "-"] if language == "python" else ["node", "--input-type=module", "-"]
    done = subprocess.run(
        command, input=code, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(("language", "code"), DOCUMENTED)
def test_what_is_documented_runs(
    demo: dict[str, str], language: str, code: str, request: pytest.FixtureRequest
) -> None:
    """A provider's prints its listing, a consumer's the paid answer."""
    variables = {**demo, "ENDPOINT": f"{demo['ENDPOINT']}/{request.node.callspec.id}"}
    printed = run(language, code, variables)
    if "pricePerRequest" in code:
        assert re.match(r"api_\w+ http://127\.0\.0\.1:\d+/paygate/api/v2/gateway/api_\w+\n", printed), printed
    elif "API_ID" in code:
        assert printed.startswith("200 "), printed
        assert "Oslo" in printed
        assert printed.rstrip().endswith("consumed")


@pytest.mark.parametrize("currency", ["ETH", "USDC"])
def test_the_code_for_agents_runs(demo: dict[str, str], currency: str) -> None:
    """What /agent-info shows for a listing pays for it and calls it, in ether and in the token."""
    api_id = demo["API_ID"]
    if currency == "USDC":
        provider = blocks(readme())[0][1].replace("Weather of mine", "For agents")
        # Nobody pays themselves: the provider is another wallet than the one that pays.
        variables = {**demo, "KEY": "0x" + PROVIDER.key.hex(), "ENDPOINT": f"{demo['ENDPOINT']}/agents"}
        api_id = run("python", provider, variables).split()[0]
    info = httpx.get(f"{demo['API']}/apis/{api_id}/agent-info").json()
    assert info["capabilities"][0]["pricing"]["token"] == currency
    code = info["howToUse"]["exampleCode"]
    for language, text in (("python", code["python"]), ("js", code["javascript"])):
        printed = run(language, text, demo)
        assert printed.startswith("200 {"), printed


def test_both_sides_are_documented_in_both_languages() -> None:
    text = (ROOT / "docs" / "paygate.md").read_text("utf-8")
    for mark in ("pricePerRequest", "X-Payment-Tx", "x402/"):
        assert {language for language, code in blocks(text) if mark in code} == {"python", "js"}, mark


def test_the_documented_check_of_the_origin_is_right() -> None:
    [code] = [code for _, code in blocks((ROOT / "docs" / "paygate.md").read_text("utf-8")) if "hmac" in code]
    room: dict[str, Any] = {}
    exec(code, room)
    checked = room["came_through_the_paygate"]
    at = int(time.time())

    def header(secret: str, at: int, body: bytes) -> str:
        text = f"{at}.POST./a?b=1.{hashlib.sha256(body).hexdigest()}"
        return f"t={at},v1={hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()}"

    assert checked("s", header("s", at, b"x"), "POST", "/a?b=1", b"x")
    assert not checked("s", header("s", at, b"x"), "POST", "/a?b=1", b"y")
    assert not checked("s", header("other", at, b"x"), "POST", "/a?b=1", b"x")
    assert not checked("s", header("s", at - 400, b"x"), "POST", "/a?b=1", b"x")
    assert not checked("s", "nonsense", "POST", "/a?b=1", b"x")


def test_the_demonstration_tells_each_step() -> None:
    command = [sys.executable, "-m", "flux.cli", "paygate", "demo"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    at = -1
    for step in STEPS:
        found = done.stdout.find(step, at + 1)
        assert found > at, f"{step!r} is missing or out of order:\n{done.stdout}"
        at = found


def test_without_a_chain_it_says_what_to_do(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flux.cli", "paygate", "demo"]
    env = {**environment(), "PATH": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert "npm install @foundry-rs/anvil" in refusal(done)
    assert not done.stdout


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "flux.cli", "paygate", "demo", "--port", port],
            cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    assert "Flux does not start" in refusal(done)


def test_help_is_shown_without_a_command() -> None:
    done = flux("paygate")
    assert done.returncode == 0
    assert "demo" in done.stdout
