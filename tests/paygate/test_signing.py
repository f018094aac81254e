"""Signatures, messages and logins beyond the vectors of the contract, which stand in `test_vectors.py`."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from flux.paygate.signing.accounts import checksummed, parse_address
from flux.paygate.signing.curve import (
    BadSignature,
    address_of,
    parse_signature,
    personal_digest,
    recover,
    sign,
)
from flux.paygate.signing.keccak import keccak256
from flux.paygate.signing.login import NotALogin, login_message, parse_login
from flux.paygate.signing.message import Freshness, Signed, call_digest, packed, typed_call_digest

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
OTHER_KEY = bytes.fromhex("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
SIGNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
HASH = "0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef"
SIGNATURE = (
    "0x275f318897b04f2fa6be1b4c481bfbc57f63aca27b53bde845beb2f0740568af"
    "6f485b9bc7175816fcb7cd3951d0970e068291a07c01deeccfbaab76421cb0991b"
)
DIGEST = "563e968282cbb1db028b8d89622556ab0bb93039817cb48789a323542682b4cb"
LOGIN = "\n".join(
    (
        "gateway.example wants you to sign in with your Ethereum account:",
        SIGNER,
        "",
        "Sign in to the API marketplace.",
        "",
        "URI: https://gateway.example",
        "Version: 1",
        "Chain ID: 84532",
        "Nonce: k3yN0nce8f2a91c7",
        "Issued At: 2026-01-02T03:04:05Z",
        "Expiration Time: 2026-01-02T03:14:05Z",
    )
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        SIGNATURE[:-2],
        SIGNATURE + "00",
        SIGNATURE[2:],
        "0x" + "g" * 130,
        SIGNATURE[:-2] + "1d",
        SIGNATURE + "\n",
    ],
)
def test_malformed_signatures(text: str) -> None:
    with pytest.raises(BadSignature) as refused:
        parse_signature(text)
    assert refused.value.reason == "malformed"


def test_v_of_zero_and_one_is_the_same() -> None:
    assert parse_signature(SIGNATURE[:-2] + "00") == parse_signature(SIGNATURE)
    assert parse_signature(SIGNATURE[:-2] + "01") != parse_signature(SIGNATURE)


def test_version_1_agrees_with_a_wallet_library() -> None:
    inner = keccak256(packed("api_x", HASH, 1_800_000_000))
    signed = Account.sign_message(encode_defunct(primitive=inner), KEY)
    assert sign(call_digest("api_x", HASH, 1_800_000_000), KEY) == "0x" + signed.signature.hex()


def test_version_2_agrees_with_a_wallet_library() -> None:
    message = {
        "apiId": "api_123", "txHash": bytes.fromhex(HASH[2:]), "timestamp": 1_800_000_000, "method": "POST",
        "target": "/weather?city=Oslo", "bodyHash": keccak256(b'{"a":1}'),
    }  # fmt: skip
    kinds = (
        "string apiId",
        "bytes32 txHash",
        "uint256 timestamp",
        "string method",
        "string target",
        "bytes32 bodyHash",
    )
    types = {"GatewayCall": [dict(zip(("type", "name"), kind.split(), strict=True)) for kind in kinds]}
    domain = {"name": "ApiGateway", "version": "2", "chainId": 84532}
    signed = Account.sign_message(encode_typed_data(domain, types, message), KEY)
    digest = typed_call_digest(
        "api_123", HASH, 1_800_000_000, Signed(84532, "POST", "/weather?city=Oslo", b'{"a":1}')
    )
    assert recover(parse_signature("0x" + signed.signature.hex()), digest) == SIGNER.lower()
    moved = typed_call_digest(
        "api_123", HASH, 1_800_000_000, Signed(84532, "POST", "/weather?city=Rome", b'{"a":1}')
    )
    assert recover(parse_signature("0x" + signed.signature.hex()), moved) != SIGNER.lower()


@pytest.mark.parametrize(
    ("age", "verdict"), [(300, "fresh"), (301, "too_old"), (0, "fresh"), (-60, "fresh"), (-61, "in_future")]
)
def test_freshness_at_its_bounds(age: int, verdict: str) -> None:
    now = 1_800_000_000
    assert Freshness().verdict(now - age, now) == verdict
    assert Freshness().verdict((now - age) * 1000 + 999, now) == verdict


@pytest.mark.parametrize(
    ("offset", "found"), [(60, True), (-300, True), (0, True), (61, False), (-301, False)]
)
def test_the_search_finds_every_second_of_the_window(offset: int, found: bool) -> None:
    now = 1_800_000_000
    signature = parse_signature(sign(call_digest("api_1", HASH, now + offset), KEY))
    result = Freshness().search("api_1", HASH, signature, {SIGNER.lower()}, now)
    assert result == (now + offset if found else None)


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_eip_55(address: str) -> None:
    assert checksummed(address.lower()) == address
    assert parse_address(address) == address.lower()
    assert parse_address(address.lower()) == address.lower()
    assert parse_address("0x" + address[2:].upper()) == address.lower()
    with pytest.raises(ValueError, match="checksum"):
        parse_address("0x" + address[2:].swapcase())


@pytest.mark.parametrize(
    "text", [None, 1, "", "0x12", SIGNER[2:], SIGNER + "0", "0x" + "g" * 40, SIGNER + "\n"]
)
def test_not_addresses(text: object) -> None:
    with pytest.raises(ValueError):
        parse_address(text)


def test_the_login_vector() -> None:
    assert len(LOGIN) == 291
    assert (
        personal_digest(LOGIN.encode()).hex()
        == "88f0fb75c4d23c5675910d7b826b81692f49b88dd3875f74d1fc4fb67ae12304"
    )
    assert sign(personal_digest(LOGIN.encode()), KEY) == (
        "0xb84836abb0cfb5d17d30c26349ff34126eeb8d2894e9c7b1dfc2eccc708d6213"
        "6a3136cd8318baf85439d2fd86ad4626df5c35586ea870f37d353b19475158671b"
    )
    login = parse_login(LOGIN)
    assert login.domain == "gateway.example"
    assert login.address == SIGNER.lower()
    assert login.statement == "Sign in to the API marketplace."
    assert (login.uri, login.chain_id, login.nonce) == ("https://gateway.example", 84532, "k3yN0nce8f2a91c7")
    assert (login.issued_at, login.expires_at) == (1767323045000, 1767323645000)
    assert (login.not_before, login.request_id, login.resources) == (None, None, [])


def test_our_own_message_parses_back() -> None:
    text = login_message(
        "gateway.example", "https://gateway.example", SIGNER.lower(), 84532, "k3yN0nce8f2a91c7",
        "2026-01-02T03:04:05Z", "2026-01-02T03:14:05Z", "Sign in to the API marketplace.",
    )  # fmt: skip
    assert text == LOGIN


def test_a_login_without_statement_and_with_everything_else() -> None:
    lines = LOGIN.split("\n")
    bare = [*lines[:3], "", *lines[5:10]]
    assert parse_login("\n".join(bare)).statement is None
    full = [
        *lines,
        "Not Before: 2026-01-02T03:04:05.5+01:00",
        "Request ID: r 1",
        "Resources:",
        "- https://a.example/x",
        "- ipfs://q",
    ]
    login = parse_login("\n".join(full))
    assert login.resources == ["https://a.example/x", "ipfs://q"]
    assert login.request_id == "r 1"
    assert login.not_before == 1767319445500


def _changed(index: int, line: str) -> str:
    lines = LOGIN.split("\n")
    lines[index] = line
    return "\n".join(lines)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "x",
        LOGIN + "\n",
        LOGIN.replace("\n", "\r\n"),
        _changed(0, " wants you to sign in with your Ethereum account:"),
        _changed(0, "gateway.example wants you to sign in with your Ethereum account"),
        _changed(0, "a b wants you to sign in with your Ethereum account:"),
        _changed(1, SIGNER.lower()),
        _changed(1, SIGNER[:-1]),
        _changed(2, "x"),
        _changed(3, "Grüße"),
        _changed(4, "second line"),
        _changed(5, "URI: not a uri"),
        _changed(6, "Version: 2"),
        _changed(7, "Chain ID: 0x1"),
        _changed(7, "Chain ID: 084532"),
        _changed(8, "Nonce: short"),
        _changed(8, "Nonce: k3yN0nce8f2a91c7!"),
        _changed(9, "Issued At: yesterday"),
        _changed(9, "Issued At: 2026-13-02T03:04:05Z"),
        _changed(9, "Issued at: 2026-01-02T03:04:05Z"),
        _changed(10, "Nonce: k3yN0nce8f2a91c7"),
        LOGIN + "\nExpiration Time: 2026-01-02T03:14:05Z",
        LOGIN + "\nUnknown: x",
        LOGIN + "\nRequest ID: 1\nNot Before: 2026-01-02T03:04:05Z",
        LOGIN + "\nResources:\nhttps://a.example",
        "\n".join(LOGIN.split("\n")[:9]),
        LOGIN + "x" * 9000,
    ],
)
def test_what_is_no_login(message: str) -> None:
    with pytest.raises(NotALogin):
        parse_login(message)


def test_address_of_a_key() -> None:
    assert checksummed(address_of(KEY)) == SIGNER
