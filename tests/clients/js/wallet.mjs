// A wallet on viem: logs in, looks up the price, pays, signs and calls. Reads its task as JSON from the first argument,
// writes what happened as JSON.
import { createPublicClient, createWalletClient, defineChain, encodePacked, http, keccak256 } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { createSiweMessage } from 'viem/siwe'

const { api, rpc, chainId, key, apiId, path } = JSON.parse(process.argv[2])
const chain = defineChain({
  id: chainId, name: 'test', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [rpc] } },
})
const account = privateKeyToAccount(key)
const wallet = createWalletClient({ account, chain, transport: http() })
const client = createPublicClient({ chain, transport: http(), pollingInterval: 50 })
const json = { 'Content-Type': 'application/json' }

const { nonce } = await (await fetch(`${api}/auth/nonce`, { method: 'POST' })).json()
const origin = new URL(api).origin
const message = createSiweMessage({
  address: account.address, chainId, domain: new URL(api).host, nonce, uri: origin, version: '1',
  issuedAt: new Date(), resources: [`${origin}/terms`],
})
const login = await fetch(`${api}/auth/verify`, {
  method: 'POST', headers: json, body: JSON.stringify({ message, signature: await wallet.signMessage({ message }) }),
})
const session = await login.json()
const me = await (await fetch(`${api}/auth/session`, { headers: { Authorization: `Bearer ${session.token}` } })).json()

const quote = await (await fetch(`${api}/apis/${apiId}/quote?method=GET&path=${encodeURIComponent(path)}`)).json()
const txHash = await wallet.sendTransaction({ to: quote.recipient, value: BigInt(quote.amountBaseUnits) })
await client.waitForTransactionReceipt({ hash: txHash })

const timestamp = Math.floor(Date.now() / 1000)
const inner = keccak256(encodePacked(['string', 'string', 'uint256'], [apiId, txHash, BigInt(timestamp)]))
const v1 = await wallet.signMessage({ message: { raw: inner } })
const first = await fetch(`${api}/gateway/${apiId}${path}`, {
  headers: { 'X-Payment-Tx': txHash, 'X-Signature': v1, 'X-Timestamp': String(timestamp) },
})

const second = await wallet.sendTransaction({ to: quote.recipient, value: BigInt(quote.amountBaseUnits) })
await client.waitForTransactionReceipt({ hash: second })
const body = JSON.stringify({ typed: true })
const v2 = await wallet.signTypedData({
  domain: { name: 'ApiGateway', version: '2', chainId },
  types: { GatewayCall: [
    { name: 'apiId', type: 'string' }, { name: 'txHash', type: 'bytes32' }, { name: 'timestamp', type: 'uint256' },
    { name: 'method', type: 'string' }, { name: 'target', type: 'string' }, { name: 'bodyHash', type: 'bytes32' },
  ] },
  primaryType: 'GatewayCall',
  message: {
    apiId, txHash: second, timestamp: BigInt(timestamp), method: 'POST', target: `${path}?v=2`,
    bodyHash: keccak256(new TextEncoder().encode(body)),
  },
})
const headers = { ...json, 'X-Payment-Tx': second, 'X-Signature': v2, 'X-Timestamp': String(timestamp), 'X-Signature-Version': '2' }
const moved = await fetch(`${api}/gateway/${apiId}${path}?v=3`, { method: 'POST', headers, body })
const typed = await fetch(`${api}/gateway/${apiId}${path}?v=2`, { method: 'POST', headers, body })

console.log(JSON.stringify({
  address: account.address, session, me, txHash,
  first: { status: first.status, body: await first.json() },
  moved: { status: moved.status, body: await moved.json() },
  typed: { status: typed.status, body: await typed.json() },
}))
