"""Settings from defaults, a file, the environment and the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flux
from flux.settings import SettingsError, describe, load_settings


def test_defaults() -> None:
    settings = load_settings(environ={})
    assert settings.server.port == 8080
    assert settings.server.workers == 1


def test_environment_beats_file_and_arguments_beat_both(tmp_path: Path) -> None:
    file = tmp_path / "flux.toml"
    file.write_text('[server]\nport = 1\nhost = "::1"\nlog_level = "debug"\n')
    environ = {"FLUX_SERVER__PORT": "2", "FLUX_SERVER__HOST": "0.0.0.0", "FLUX_DATA": "x", "PATH": "y"}
    settings = load_settings(file, environ, {"server.port": 3})
    assert (settings.server.port, settings.server.host, settings.server.log_level) == (3, "0.0.0.0", "debug")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("1", True), ("on", True), ("false", False), ("0", False)],
)
def test_booleans(text: str, expected: bool) -> None:
    assert load_settings(environ={"FLUX_SERVER__SANDBOX": text}).server.sandbox is expected


def test_lists_are_json_or_commas() -> None:
    for text in ('["10.0.0.0/8","::1"]', "10.0.0.0/8, ::1"):
        assert load_settings(environ={"FLUX_SERVER__TRUSTED_PROXIES": text}).server.trusted_proxies == [
            "10.0.0.0/8",
            "::1",
        ]


def test_one_of_several_words() -> None:
    assert load_settings(environ={"FLUX_POST__MAIL": "smtp"}).post.mail == "smtp"


@pytest.mark.parametrize(
    "environ",
    [
        {"FLUX_POST__MAIL": "pigeon"},
        {"FLUX_SERVER__PROT": "1"},
        {"FLUX_NOPE__X": "1"},
        {"FLUX_SERVER__PORT": "x"},
        {"FLUX_SERVER__PORT": "70000"},
        {"FLUX_SERVER__SANDBOX": "maybe"},
    ],
)
def test_what_does_not_fit_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load_settings(environ=environ)


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "flux.toml"
    file.write_text("[server]\nprot = 1\n")
    with pytest.raises(SettingsError, match=r"server\.prot"):
        load_settings(file, {})


def test_every_setting_is_documented() -> None:
    listing = describe()
    assert len(listing) > 40
    assert [entry["variable"] for entry in listing if not entry["meaning"]] == []
    assert "FLUX_SERVER__PORT" in {entry["variable"] for entry in listing}


def test_every_setting_is_read_somewhere() -> None:
    """One that nothing reads promises what does not happen."""
    root = Path(flux.__file__).parent
    paths = [path for path in root.rglob("*.py") if path.parent != root / "settings"]
    read = {word for path in paths for word in re.findall(r"[.\"](\w+)", path.read_text("utf-8"))}
    names = {entry["variable"].rpartition("__")[2].lower() for entry in describe()}
    assert sorted(name for name in names if name.removeprefix("flux_") not in read) == []
