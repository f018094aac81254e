"""Code that agents and people copy: pay, sign, call. Placeholders (`@NAME@`) are filled in for the listing."""

from __future__ import annotations

JAVASCRIPT = """\
import { createWalletClient, createPublicClient, http, encodePacked, keccak256, parseUnits } from 'viem'
// account: the wallet that pays; chain: @CHAIN_NAME@ (@CHAIN_ID@)
const txHash = await wallet.sendTransaction({ to: '@RECIPIENT@', value: @BASE_UNITS@n })
await client.waitForTransactionReceipt({ hash: txHash })
const timestamp = Math.floor(Date.now() / 1000)
const inner = keccak256(encodePacked(['string', 'string', 'uint256'], ['@API_ID@', txHash, BigInt(timestamp)]))
const signature = await wallet.signMessage({ message: { raw: inner } })
const answer = await fetch('@GATEWAY_URL@@PATH@', {
  method: '@METHOD@',
  headers: { 'X-Payment-Tx': txHash, 'X-Signature': signature, 'X-Timestamp': String(timestamp) },
})
"""

JAVASCRIPT_USDC = JAVASCRIPT.replace(
    "await wallet.sendTransaction({ to: '@RECIPIENT@', value: @BASE_UNITS@n })",
    "await wallet.writeContract({ address: '@TOKEN@', abi: erc20Abi, functionName: 'transfer', args: ['@RECIPIENT@', @BASE_UNITS@n] })",
).replace("parseUnits", "erc20Abi")

PYTHON = """\
import time, requests
from eth_account.messages import encode_defunct
from eth_utils import keccak
# w3: a Web3 on @CHAIN_NAME@ (@CHAIN_ID@); account: the wallet that pays
@PAY@
w3.eth.wait_for_transaction_receipt(tx_hash)
timestamp = int(time.time())
inner = keccak(b"@API_ID@" + tx_hash.encode() + timestamp.to_bytes(32, "big"))
signature = "0x" + account.sign_message(encode_defunct(primitive=inner)).signature.hex()
answer = requests.request("@METHOD@", "@GATEWAY_URL@@PATH@", headers={
    "X-Payment-Tx": tx_hash, "X-Signature": signature, "X-Timestamp": str(timestamp)})
"""

PYTHON_ETHER = 'tx_hash = "0x" + w3.eth.send_transaction({"from": account.address, "to": "@RECIPIENT@", "value": @BASE_UNITS@}).hex()'
PYTHON_USDC = (
    'tx_hash = "0x" + token.functions.transfer("@RECIPIENT@", @BASE_UNITS@)'
    '.transact({"from": account.address}).hex()  # token: the contract at @TOKEN@'
)

CURL = """\
curl -X @METHOD@ '@GATEWAY_URL@@PATH@' \\
  -H "X-Payment-Tx: $TX_HASH" -H "X-Signature: $SIGNATURE" -H "X-Timestamp: $TIMESTAMP"
"""
