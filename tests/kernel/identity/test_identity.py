"""Tokens, passwords, the vault and the operator."""

from __future__ import annotations

from pathlib import Path

import pytest

from flux.kernel.identity import (
    Operator,
    Vault,
    VaultError,
    hash_password,
    instance_secret,
    new_token,
    password_matches,
    same,
    token_hash,
)
from flux.kernel.identity import secrets as identity_secrets


def test_tokens_are_long_and_new() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert len(new_token()) == 43
    assert len(token_hash("a")) == 32


def test_equality() -> None:
    assert same("abc", b"abc")
    assert not same("abc", "abd")
    assert not same("\ud800", "?")


async def test_passwords() -> None:
    stored = await hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert await password_matches("correct horse", stored)
    assert not await password_matches("wrong", stored)
    assert not await password_matches("a password nobody has", None)
    assert not await password_matches("x", "not a hash")


def test_the_vault_seals_for_one_purpose() -> None:
    vault = Vault(b"s" * 32)
    sealed = vault.seal("totp", b"seed")
    assert sealed != vault.seal("totp", b"seed")
    assert vault.open("totp", sealed) == b"seed"
    for other, purpose, data in (
        (Vault(b"t" * 32), "totp", sealed),
        (vault, "keys", sealed),
        (vault, "totp", sealed[:-1] + b"x"),
        (vault, "totp", b""),
    ):
        with pytest.raises(VaultError):
            other.open(purpose, data)


def test_the_instance_secret_is_made_once_and_private(tmp_path: Path) -> None:
    first = instance_secret(tmp_path, "")
    assert instance_secret(tmp_path, "") == first
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert instance_secret(tmp_path, "ab" * 32) == b"\xab" * 32


def test_the_operator() -> None:
    operator = Operator(token_hash("secret"))
    assert operator.is_admin_bearer("Bearer secret")
    assert operator.is_admin_bearer("bearer secret")
    for wrong in (None, "", "Bearer", "Bearer ", "Bearer wrong", "Bot secret", "secret"):
        assert not operator.is_admin_bearer(wrong)


def test_an_account_that_is_not_there_costs_as_much_as_one_that_is() -> None:
    assert not identity_secrets._hasher.check_needs_rehash(identity_secrets._DECOY)
