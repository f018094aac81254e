"""Chains by name, number or CAIP-2: the configured ones, and the well-known ones for what was left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec import UNSET

from flux.paygate.signing.accounts import parse_address
from flux.settings.paygate import ChainSettings, PaygateSettings, TokenSettings

ETH_DECIMALS = 18
CURRENCIES = ("ETH", "USDC")


@dataclass(frozen=True, slots=True)
class Token:
    """An ERC-20 token; `name` and `version` are its EIP-712 domain. The address is in lower case."""

    address: str
    decimals: int
    name: str
    version: str
    eip3009: bool = True


@dataclass(frozen=True, slots=True)
class Chain:
    """`v1_name` is what version 1 of x402 calls the chain, where it has a name for it."""

    name: str
    chain_id: int
    rpc_urls: tuple[str, ...] = ()
    native_symbol: str = "ETH"
    usdc: Token | None = None
    min_confirmations: int = 1
    finality_depth: int = 60
    explorer_tx_url: str = ""
    v1_name: str | None = None

    @property
    def caip2(self) -> str:
        return f"eip155:{self.chain_id}"

    @property
    def currencies(self) -> list[str]:
        """Ether only where the native coin is ether; USDC only where a token is configured."""
        offered = ["ETH"] if self.native_symbol == "ETH" else []
        return [*offered, "USDC"] if self.usdc is not None else offered

    def decimals(self, currency: str) -> int:
        return self.usdc.decimals if currency == "USDC" and self.usdc is not None else ETH_DECIMALS

    def token_address(self, currency: str) -> str | None:
        return self.usdc.address if currency == "USDC" and self.usdc is not None else None

    def shown(self) -> dict[str, object]:
        return {"chain": self.name, "chainId": self.chain_id}


def _usdc(address: str, name: str = "USD Coin") -> Token:
    return Token(address.lower(), 6, name, "2")


WELL_KNOWN = (
    Chain("base", 8453, usdc=_usdc("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"), v1_name="base",
          explorer_tx_url="https://basescan.org/tx/"),
    Chain("base-sepolia", 84532, usdc=_usdc("0x036CbD53842c5426634e7929541eC2318f3dCF7e", "USDC"), v1_name="base-sepolia",
          explorer_tx_url="https://sepolia.basescan.org/tx/"),
    Chain("ethereum", 1, usdc=_usdc("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), min_confirmations=2, finality_depth=64,
          explorer_tx_url="https://etherscan.io/tx/"),
    Chain("polygon", 137, native_symbol="POL", usdc=_usdc("0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359"),
          min_confirmations=5, finality_depth=256, v1_name="polygon", explorer_tx_url="https://polygonscan.com/tx/"),
    Chain("arbitrum", 42161, usdc=_usdc("0xaf88d065e77c8cC2239327C5EDb3A432268e5831"), finality_depth=100,
          explorer_tx_url="https://arbiscan.io/tx/"),
    Chain("arbitrum-sepolia", 421614, usdc=_usdc("0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d"), finality_depth=100),
    Chain("avalanche", 43114, native_symbol="AVAX", usdc=_usdc("0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E"),
          finality_depth=10, v1_name="avalanche"),
    Chain("optimism", 10, usdc=_usdc("0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85"),
          explorer_tx_url="https://optimistic.etherscan.io/tx/"),
    Chain("sepolia", 11155111, usdc=_usdc("0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238", "USDC"), finality_depth=64),
    Chain("local", 31337, finality_depth=0),
)  # fmt: skip
_CAIP2 = re.compile(r"eip155:([1-9]\d{0,17})\Z")
_NUMBER = re.compile(r"[1-9]\d{0,17}\Z")
DEFAULT = "base"


class UnknownChain(ValueError):
    """No chain of that name or number that anybody knows."""


class Chains:
    """The configured chains. `default` is the chain of listings that name none."""

    def __init__(self, settings: PaygateSettings) -> None:
        entries = [_configured(entry) for entry in settings.chains] or list(WELL_KNOWN)
        self._by_id = {chain.chain_id: chain for chain in entries}
        self._by_name = {chain.name: chain for chain in entries}
        if len(self._by_id) != len(entries) or len(self._by_name) != len(entries):
            raise ValueError("paygate.chains: two entries have the same name or chainId")
        wanted = settings.default_chain or (entries[0].name if settings.chains else DEFAULT)
        found = self.find(wanted)
        if found is None:
            raise ValueError(f"paygate.default_chain: {wanted!r} is not among paygate.chains")
        self.default = found

    def __iter__(self) -> Iterator[Chain]:
        return iter(self._by_id.values())

    def get(self, chain_id: int) -> Chain | None:
        return self._by_id.get(chain_id)

    def find(self, text: object) -> Chain | None:
        """A configured chain by short name, decimal number or CAIP-2; None when known but not configured.

        Raises `UnknownChain`.
        """
        known = self.recognise(text)
        return self._by_id.get(known.chain_id)

    def recognise(self, text: object) -> Chain:
        """Like `find`, with well-known chains that are not configured included. Raises `UnknownChain`."""
        if isinstance(text, int) and not isinstance(text, bool):
            text = str(text)
        if not isinstance(text, str):
            raise UnknownChain
        match = _CAIP2.match(text)
        number = match.group(1) if match else text if _NUMBER.match(text) else None
        if number is not None:
            chain = self._by_id.get(int(number)) or _known_id.get(int(number))
        else:
            chain = self._by_name.get(text.lower()) or _known_name.get(text.lower())
        if chain is None:
            raise UnknownChain
        return chain


_known_id = {chain.chain_id: chain for chain in WELL_KNOWN}
_known_name = {chain.name: chain for chain in WELL_KNOWN}


def _configured(entry: ChainSettings) -> Chain:
    base = _known_id.get(entry.chain_id) or Chain(entry.name, entry.chain_id)
    chain = replace(base, name=entry.name, rpc_urls=tuple(entry.rpc_urls))
    if entry.native_symbol is not UNSET:
        chain = replace(chain, native_symbol=entry.native_symbol)
    if entry.min_confirmations is not UNSET:
        chain = replace(chain, min_confirmations=entry.min_confirmations)
    if entry.finality_depth is not UNSET:
        chain = replace(chain, finality_depth=entry.finality_depth)
    if entry.explorer_tx_url is not UNSET:
        chain = replace(chain, explorer_tx_url=entry.explorer_tx_url)
    if entry.tokens is not UNSET:
        chain = replace(chain, usdc=_token(entry.tokens.get("USDC")))
    return chain


def _token(entry: TokenSettings | None) -> Token | None:
    if entry is None:
        return None
    address = parse_address(entry.address)
    return Token(address, entry.decimals, entry.eip712.name, entry.eip712.version, entry.eip3009)
