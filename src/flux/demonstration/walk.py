"""The steps of a payment, each done for real and then told: what a provider does, what a consumer does, what an agent does."""

from __future__ import annotations

import base64
import json
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flux.demonstration.asking import Answer, ask
from flux.demonstration.chain import Chain, Wallet
from flux.demonstration.processes import anvil, anvil_program, free_port, server
from flux.demonstration.shop import OPENAPI, shop
from flux.paygate.signing.keccak import keccak256
from flux.paygate.signing.message import packed
from flux.paygate.signing.typed import Authorization

CHAIN_ID = 84532
CHAIN_NAME = "base-sepolia"
USDC = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
"""Where the token is on the chain whose number ours has: x402 clients pay with tokens they know."""
PROVIDER = Wallet("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
CONSUMER = Wallet("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
OPERATOR = Wallet("0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97")
"""Anvil's well-known development keys: never send them real money."""
POCKET_MONEY = 1_000_000_000
PATH = "/weather/Oslo"


class Broken(Exception):
    """A step did not end as it must."""


@dataclass
class World:
    chain: Chain
    api: str
    shop: str
    steps: int = 0

    def tell(self, text: str, *more: str) -> None:
        self.steps += 1
        print(f"{self.steps:>2}  {text}", *(f"      {line}" for line in more), sep="\n", flush=True)


def demonstrate(directory: Path, port: int, *, keep: bool) -> int:
    """Start the world, walk through it and, with `keep`, leave it standing until Ctrl-C; anvil is looked for from
    `directory` upwards. Nothing is left behind. Raises `StartError`."""
    program = anvil_program(directory)
    # A shell lets what it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        with _world(program, port) as world:
            listing = _walk(world)
            if keep:
                _invite(world, listing)
                # Not `signal.pause`: a Ctrl-C just before it would be slept through.
                while True:
                    time.sleep(0.5)
    except KeyboardInterrupt:
        print("\nThe demonstration is over.")
    except Broken as broken:
        print(f"flux: the demonstration stopped: {broken}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _world(program: str, port: int) -> Iterator[World]:
    with ExitStack() as stack:
        kept = tempfile.TemporaryDirectory(prefix="flux-demo-", ignore_cleanup_errors=True)
        data_dir = Path(stack.enter_context(kept))
        chain = Chain(stack.enter_context(anvil(program, CHAIN_ID)), CHAIN_ID)
        sold = stack.enter_context(shop())
        settings = {
            "paygate.chains": [{"name": CHAIN_NAME, "chainId": CHAIN_ID, "rpcUrls": [chain.url]}],
            "paygate.facilitator_key": "0x" + OPERATOR.key.hex(),
            "paygate.allow_http_targets": "true",
            "paygate.allowed_targets": ["127.0.0.0/8"],
        }
        world = World(chain, "", sold)
        world.tell(f"A chain of our own runs at {chain.url} (anvil, chain id {CHAIN_ID})")
        _make_money(world)
        origin = stack.enter_context(server(data_dir, port or free_port(), settings))
        world.api = f"{origin}/paygate/api/v2"
        world.tell(f"Flux is up at {origin}; the paygate is {world.api}")
        yield world


def _walk(world: World) -> dict[str, Any]:
    token = _log_in(world, PROVIDER)
    listing = _list(world, token)
    url = f"{world.api}/gateway/{listing['id']}{PATH}"
    _ask_without_paying(world, url)
    tx_hash = _pay(world, listing)
    _call(world, listing, url, tx_hash)
    _call_again(world, listing, url, tx_hash)
    _pay_by_x402(world, listing)
    _count_the_money(world, token)
    return listing


def _make_money(world: World) -> None:
    made = world.chain.deploy_token(OPERATOR)
    world.chain.copy_code(made, USDC)
    world.chain.mint(OPERATOR, USDC, CONSUMER.address, POCKET_MONEY)
    world.tell(
        f"A test token, USDC, is deployed at {made}",
        f"and stands at {USDC} too, where x402 clients expect it; {CONSUMER.shown} has 1000 of it",
    )


def _log_in(world: World, wallet: Wallet) -> str:
    nonce = ask(f"{world.api}/auth/nonce", body={"address": wallet.shown, "chainId": CHAIN_ID})
    message = _good(nonce, 200)["message"]
    body = {"message": message, "signature": wallet.personal_sign(message.encode())}
    session = _good(ask(f"{world.api}/auth/verify", body=body), 200)
    world.tell(f"The provider {wallet.shown} logs in with its wallet (EIP-4361)")
    token: str = session["token"]
    return token


def _list(world: World, token: str) -> dict[str, Any]:
    body = {
        "name": "Weather",
        "endpoint": world.shop,
        "pricePerRequest": "0.001",
        "currency": "ETH",
        "description": "The weather of any city. It invents it.",
        "openapi": OPENAPI,
        "x402": {"amount": "0.01"},
    }
    made = ask(f"{world.api}/apis", body=body, headers={"Authorization": f"Bearer {token}"})
    listing: dict[str, Any] = _good(made, 201)
    world.tell(
        f"It lists its API {world.shop}: GET /weather/{{city}} for 0.001 ETH, or 0.01 USDC over x402",
        f"The listing is {listing['id']}",
    )
    return listing


def _ask_without_paying(world: World, url: str) -> None:
    refused = ask(url)
    world.tell(f"GET {url}", f"without a payment: {refused.status} {_good(refused, 401)['error']}")


def _pay(world: World, listing: dict[str, Any]) -> str:
    quote = _good(ask(f"{world.api}/apis/{listing['id']}/quote?path={PATH}"), 200)
    receipt = world.chain.send(CONSUMER, quote["recipient"].lower(), value=int(quote["amountBaseUnits"]))
    tx_hash: str = receipt["transactionHash"]
    world.tell(
        f"The quote is {quote['amount']} {quote['currency']} to {quote['recipient']} on {quote['chain']}",
        f"The consumer {CONSUMER.shown} pays it: {tx_hash}, in block {int(receipt['blockNumber'], 16)}",
    )
    return tx_hash


def _proof(listing: dict[str, Any], tx_hash: str) -> dict[str, str]:
    timestamp = int(time.time())
    inner = keccak256(packed(listing["id"], tx_hash, timestamp))
    return {
        "X-Payment-Tx": tx_hash,
        "X-Signature": CONSUMER.personal_sign(inner),
        "X-Timestamp": str(timestamp),
    }


def _call(world: World, listing: dict[str, Any], url: str, tx_hash: str) -> None:
    answer = ask(url, headers=_proof(listing, tx_hash))
    shown = json.dumps(_good(answer, 200))
    world.tell("It signs (API, transaction, time) and calls: 200", shown, _state(answer))


def _call_again(world: World, listing: dict[str, Any], url: str, tx_hash: str) -> None:
    refused = ask(url, headers=_proof(listing, tx_hash))
    reason = _good(refused, 402)["details"]["reason"]
    world.tell(f"The same transaction does not pay twice: {refused.status} {refused.body['error']}, {reason}")


def _pay_by_x402(world: World, listing: dict[str, Any]) -> None:
    url = f"{world.api}/x402/{listing['id']}{PATH}"
    unpaid = ask(url)
    _good(unpaid, 402)
    wanted = json.loads(base64.b64decode(unpaid.headers["PAYMENT-REQUIRED"]))["accepts"][0]
    answer = ask(url, headers={"PAYMENT-SIGNATURE": _authorised(wanted)})
    shown = json.dumps(_good(answer, 200))
    receipt = json.loads(base64.b64decode(answer.headers["PAYMENT-RESPONSE"]))
    world.tell(
        f"An x402 agent calls {url}",
        f"402: {int(wanted['amount']) / 1e6:g} USDC to {wanted['payTo']}; it signs a transfer and calls again: 200",
        shown,
        f"{_state(answer)}; settled in {receipt['transaction']}, on the operator's gas",
    )


def _authorised(wanted: dict[str, Any]) -> str:
    """A PAYMENT-SIGNATURE: an EIP-3009 transfer of exactly what is wanted, signed by the consumer."""
    transfer = Authorization(
        sender=CONSUMER.address,
        to=wanted["payTo"].lower(),
        value=int(wanted["amount"]),
        valid_after=0,
        valid_before=int(time.time()) + wanted["maxTimeoutSeconds"],
        nonce=secrets.token_bytes(32),
    )
    domain = wanted["extra"]
    digest = transfer.digest(domain["name"], domain["version"], CHAIN_ID, wanted["asset"].lower())
    shown = {
        "from": CONSUMER.shown,
        "to": wanted["payTo"],
        "value": str(transfer.value),
        "validAfter": str(transfer.valid_after),
        "validBefore": str(transfer.valid_before),
        "nonce": "0x" + transfer.nonce.hex(),
    }
    payload = {"signature": CONSUMER.sign(digest), "authorization": shown}
    proof = {"x402Version": 2, "accepted": wanted, "payload": payload}
    return base64.b64encode(json.dumps(proof).encode()).decode("ascii")


def _count_the_money(world: World, token: str) -> None:
    sums = _good(ask(f"{world.api}/dashboard", headers={"Authorization": f"Bearer {token}"}), 200)
    earned = " and ".join(f"{one['amount']} {one['currency']}" for one in sums["asProvider"]["revenue"])
    on_chain = world.chain.balance(USDC, PROVIDER.address)
    world.tell(
        f"The provider has sold {sums['asProvider']['calls']} calls and earned {earned}",
        f"On chain it has {on_chain / 1e6:g} USDC: the money went straight to it",
    )


def _invite(world: World, listing: dict[str, Any]) -> None:
    lines = {
        "API": world.api,
        "RPC": world.chain.url,
        "ENDPOINT": f"{world.shop}/yours",
        "API_ID": listing["id"],
        "KEY": "0x" + CONSUMER.key.hex(),
    }
    print("\nAll of it stays up until Ctrl-C. In another terminal:\n")
    print(*(f"export {name}={value}" for name, value in lines.items()), sep="\n")
    print("\nand go on with docs/paygate.md.", flush=True)


def _state(answer: Answer) -> str:
    return f"X-Payment-Status: {answer.headers['X-Payment-Status']}"


def _good(answer: Answer, status: int) -> Any:
    if answer.status != status:
        raise Broken(f"expected {status}, got {answer.status}: {answer.body}")
    return answer.body
