// An agent on @x402/fetch and viem, both as published: it fetches each URL of its task once, pays where it is asked to, and
// writes what came back as JSON. Reads its task as JSON from the first argument: {key, version, calls: [{url, method?, body?}]}.
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { registerExactEvmScheme } from '@x402/evm/exact/client'
import { privateKeyToAccount } from 'viem/accounts'

const { key, version, calls } = JSON.parse(process.argv[2])
const asked = []

// What this program sends and hears. Version 1 has no header of requirements, so a client of version 1 does not see one.
async function heard(input, init) {
  const request = new Request(input, init)
  const answer = await fetch(request)
  const headers = new Headers(answer.headers)
  if (version === 1) headers.delete('PAYMENT-REQUIRED')
  asked.push({ status: answer.status, v1: request.headers.has('X-PAYMENT'), v2: request.headers.has('PAYMENT-SIGNATURE') })
  return new Response(answer.body, { status: answer.status, headers })
}

const client = registerExactEvmScheme(new x402Client(), { signer: privateKeyToAccount(key) })
const pay = wrapFetchWithPayment(heard, client)
const answers = []
for (const { url, method = 'GET', body } of calls) {
  const answer = await pay(url, { method, ...(body ? { body, headers: { 'Content-Type': 'application/json' } } : {}) })
  const receipt = answer.headers.get(version === 1 ? 'X-PAYMENT-RESPONSE' : 'PAYMENT-RESPONSE')
  answers.push({
    status: answer.status,
    body: await answer.json(),
    callId: answer.headers.get('X-Call-Id'),
    payment: answer.headers.get('X-Payment-Status'),
    receipt: receipt ? decodePaymentResponseHeader(receipt) : null,
  })
}
console.log(JSON.stringify({ asked, answers }))
