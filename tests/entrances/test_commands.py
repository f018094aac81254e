"""`flux …`: what each command prints, and how it ends."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.entrances.running import environment, flux, refusal
from tests.harness.server import free_port, serve

from flux import __version__
from flux.settings import describe


def test_version_and_help() -> None:
    assert flux("--version").stdout == f"flux {__version__}\n"
    bare = flux()
    assert bare.returncode == 0
    assert "serve" in bare.stdout
    assert flux("nonsense").returncode == 2


def test_migrate_makes_and_keeps_an_instance(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    for _ in range(2):
        done = flux("migrate", "--data", data)
        assert (done.returncode, done.stdout) == (0, "The database is up to date.\n"), done.stderr
    assert stat.S_IMODE((data / "flux.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "operator.json").stat().st_mode) == 0o600


def test_demo_can_be_run_again(tmp_path: Path) -> None:
    first, second = (flux("demo", "--data", tmp_path / "data") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout
    assert second.stdout


async def test_demo_says_that_the_server_is_running_and_leaves_its_addresses(tmp_path: Path) -> None:
    async with serve(tmp_path / "data") as server:
        line = refusal(flux("demo", "--data", tmp_path / "data"))
        assert "stop it" in line
        server.terminate()
        assert flux("demo", "--data", tmp_path / "data").returncode == 0
        operator = json.loads((tmp_path / "data" / "operator.json").read_text())
        assert operator["community"]["api_url"] == f"{server.origin}/community/v1"
        await server.restart()


def test_the_doctor_changes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    port = str(free_port())
    early = flux("doctor", "--data", data, FLUX_SERVER__PORT=port)
    assert not data.exists()
    assert early.returncode == 0, early.stdout
    assert flux("migrate", "--data", data).returncode == 0
    healthy = flux("doctor", "--data", data, FLUX_SERVER__PORT=port)
    assert (healthy.returncode, "0 to fix" in healthy.stdout) == (0, True), healthy.stdout
    (data / "operator.json").chmod(0o644)
    broken = flux("doctor", "--data", data, FLUX_SERVER__PORT=port, FLUX_SERVER__LOG_LEVEL="loud")
    assert broken.returncode == 1
    assert "chmod 600" in broken.stdout
    assert "Use one of" in broken.stdout


async def test_the_doctor_finds_a_running_instance_healthy(tmp_path: Path) -> None:
    async with serve(tmp_path / "data") as server:
        port = server.origin.rpartition(":")[2]
        done = flux("doctor", "--data", tmp_path / "data", FLUX_SERVER__PORT=port)
        assert (done.returncode, "0 to fix" in done.stdout) == (0, True), done.stdout


def test_the_doctor_lists_every_setting() -> None:
    done = flux("doctor", "--settings")
    assert done.returncode == 0
    for entry in describe():
        assert f"{entry['variable']}  (" in done.stdout
        assert entry["meaning"], entry["variable"]


def test_errors_are_listed_and_explained() -> None:
    matrix = flux("errors", "--plane", "paygate")
    assert (matrix.returncode, "PAYMENT_NOT_CONFIRMED" in matrix.stdout) == (0, True)
    rows = json.loads(flux("errors", "--json").stdout)
    assert sum(row["published"] for row in rows) == 156
    explained = flux("errors", "explain", "UNKNOWN_CHANNEL")
    assert (explained.returncode, "Unknown Channel" in explained.stdout) == (0, True)
    unknown = flux("errors", "explain", "NO_SUCH_CODE")
    assert unknown.returncode == 1
    assert "NO_SUCH_CODE" in unknown.stdout + unknown.stderr


@pytest.mark.parametrize("arguments", [["errors", "--json"], ["errors"], ["doctor", "--settings"]])
def test_a_reader_that_leaves_early_is_no_failure(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "flux.cli", *arguments]
        done = subprocess.run(
            command, env=environment(), stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


# -- what keeps it from starting ----------------------------------------------------------------------------------


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "--port" in refusal(flux("serve", "--data", tmp_path, "--port", port))
        line = refusal(flux("serve", "--data", tmp_path, "--port", "0", FLUX_CONTENT__PORT=port))
        assert "FLUX_CONTENT__PORT" in line


def test_a_data_directory_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/flux-data")):
        assert "--data" in refusal(flux("serve", "--data", place, "--port", "0"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"FLUX_SERVER__PROT": "1"}, "FLUX_SERVER__PROT"),
        ({"FLUX_SERVER__PORT": "many"}, "FLUX_SERVER__PORT"),
        ({"FLUX_SERVER__PORT": "70000"}, "65535"),
        ({"FLUX_SERVER__WORKERS": "2"}, "embedded-postgres"),
        ({"FLUX_SERVER__LOG_LEVEL": "loud"}, "warning"),
        ({"FLUX_SERVER__PUBLIC_URL": "flux.example"}, "https://"),
        ({"FLUX_SERVER__TRUSTED_PROXIES": "everyone"}, "CIDR"),
        ({"FLUX_SERVER__SECRET": "short"}, "64 hex digits"),
        ({"FLUX_SERVER__HOST": "nowhere.invalid"}, "cannot listen"),
        ({"FLUX_STORE__DATABASE": "mysql://u:secret@h/x"}, "postgres://user@host/name"),
        ({"FLUX_STORE__DATABASE": "sqlite://relative.db"}, "three slashes"),
        ({"FLUX_STORE__DATABASE": "postgres://u:secret@127.0.0.1:1/x"}, "PostgreSQL at postgres://127.0.0.1:1/x"),
        ({"FLUX_BUS__URL": "nats://secret@127.0.0.1:1", "FLUX_BUS__CONNECT_SECONDS": "1"}, "NATS at nats://127.0.0.1:1"),
        ({"FLUX_CONTENT__PORT": "9001", "FLUX_COMMUNITY__PORT": "9001"}, "9001"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    settings = {"FLUX_SERVER__PORT": str(free_port()), **settings}
    line = refusal(flux("serve", "--data", tmp_path, **settings))
    assert said in line
    assert "secret@" not in line


def test_a_settings_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("server = [")
    for name, said in (("missing.toml", "cannot be read"), ("bad.toml", "not TOML")):
        assert said in refusal(flux("serve", "--data", tmp_path, "--config", tmp_path / name))


async def test_two_servers_on_one_sqlite_directory(tmp_path: Path) -> None:
    async with serve(tmp_path / "data") as server:
        line = refusal(flux("serve", "--data", tmp_path / "data", "--port", "0"))
        assert f"process {server.process.pid}" in line


@pytest.mark.parametrize(
    "content",
    [
        '{"admin_tok',
        "",
        "[]",
        "{}",
        '{"admin_token": 7}',
        '{"admin_token": "long enough", "content": 1}',
        "\xff",
    ],
)
def test_a_damaged_operator_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "operator.json").write_bytes(content.encode("latin-1"))
    line = refusal(flux("serve", "--data", tmp_path, "--port", "0"))
    assert "operator.json is damaged" in line


@pytest.mark.parametrize("content", ["", "abc", "00ff"])
def test_a_damaged_secret(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret.key").write_text(content)
    assert "secret.key is damaged" in refusal(flux("serve", "--data", tmp_path, "--port", "0"))


def test_what_few_instances_need_is_not_imported_by_all() -> None:
    program = "import flux.supervisor, sys; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    heavy = {"aiohttp", "nats", "obstore", "webauthn", "pydantic", "httpx", "anyio", "pytest"}
    assert heavy.intersection(answer.stdout.split()) == set()
