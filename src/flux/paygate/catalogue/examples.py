"""Code that agents and people copy and run: pay, sign, call. Placeholders (`@NAME@`) are filled in for the listing; the
wallet's key and a node of the chain come from the environment, as KEY and RPC."""

from __future__ import annotations

JAVASCRIPT = """\
import { createPublicClient, createWalletClient, defineChain, encodePacked, erc20Abi, http, keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

const { KEY, RPC } = process.env
const chain = defineChain({
  id: @CHAIN_ID@, name: '@CHAIN_NAME@', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [RPC] } },
})
const wallet = createWalletClient({ account: privateKeyToAccount(KEY), chain, transport: http() })
const txHash = await @PAY@
await createPublicClient({ chain, transport: http() }).waitForTransactionReceipt({ hash: txHash })

const timestamp = Math.floor(Date.now() / 1000)
const inner = keccak256(encodePacked(['string', 'string', 'uint256'], ['@API_ID@', txHash, BigInt(timestamp)]))
const signature = await wallet.signMessage({ message: { raw: inner } })
const answer = await fetch('@GATEWAY_URL@@PATH@', {
  method: '@METHOD@',
  headers: { 'X-Payment-Tx': txHash, 'X-Signature': signature, 'X-Timestamp': String(timestamp) },
})
console.log(answer.status, await answer.text())
"""

JAVASCRIPT_ETHER = "wallet.sendTransaction({ to: '@RECIPIENT@', value: @BASE_UNITS@n })"
JAVASCRIPT_USDC = (
    "wallet.writeContract({\n"
    "  address: '@TOKEN@', abi: erc20Abi, functionName: 'transfer', args: ['@RECIPIENT@', @BASE_UNITS@n],\n"
    "})"
)

PYTHON = """\
import os
import time

import requests
from eth_account.messages import encode_defunct
from web3 import Web3

chain = Web3(Web3.HTTPProvider(os.environ["RPC"]))  # @CHAIN_NAME@ (@CHAIN_ID@)
wallet = chain.eth.account.from_key(os.environ["KEY"])
payment = wallet.sign_transaction({
@PAY@
    "chainId": @CHAIN_ID@,
    "nonce": chain.eth.get_transaction_count(wallet.address),
    "gas": 100_000,
    "maxFeePerGas": chain.eth.gas_price * 2,
    "maxPriorityFeePerGas": 1_000_000,
})
tx_hash = chain.eth.send_raw_transaction(payment.raw_transaction).to_0x_hex()
chain.eth.wait_for_transaction_receipt(tx_hash)

timestamp = int(time.time())
inner = Web3.solidity_keccak(["string", "string", "uint256"], ["@API_ID@", tx_hash, timestamp])
signature = wallet.sign_message(encode_defunct(primitive=inner)).signature.to_0x_hex()
answer = requests.request("@METHOD@", "@GATEWAY_URL@@PATH@", headers={
    "X-Payment-Tx": tx_hash, "X-Signature": signature, "X-Timestamp": str(timestamp)})
print(answer.status_code, answer.text)
"""

PYTHON_ETHER = '    "to": "@RECIPIENT@",\n    "value": @BASE_UNITS@,'
PYTHON_USDC = (
    '    "to": "@TOKEN@",  # transfer(recipient, amount)\n'
    '    "data": "0xa9059cbb" + "@RECIPIENT@"[2:].lower().rjust(64, "0") + f"{@BASE_UNITS@:064x}",'
)

CURL = """\
curl -X @METHOD@ '@GATEWAY_URL@@PATH@' \\
  -H "X-Payment-Tx: $TX_HASH" -H "X-Signature: $SIGNATURE" -H "X-Timestamp: $TIMESTAMP"
"""
