/**
 * Measures members of groups beside groups: members added to one group, and groups created; checks, and reads
 * of groups; and how long the deletion of that group takes. All by the same clients, against a cluster of
 * three nodes and one connector on this machine. Rounds of the four alternate, and the median counts.
 *
 *   npm run bench:members -- [--seconds 3] [--rounds 3] [--clients 64]
 */
import assert from 'node:assert/strict'
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { call, create, groupUrl, type Reply, read, remove } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { median } from './statistics.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '64' },
  },
})
const seconds = Number(values.seconds)
const clients = Number(values.clients)

await using cluster = await LocalCluster.start()
const { url } = cluster.connectors[0]!

const GROUP = 'one-group'
let next = 0
let groupCount = 0
let memberCount = 0

const memberUrl = (index: number) => `${groupUrl(url, GROUP)}/members/m${index}`
const anyOf = (count: number) => Math.floor(Math.random() * Math.max(1, count))

const KINDS: { readonly [kind: string]: Readonly<{ send: () => Promise<Reply>; status: number }> } = {
  'groups created': {
    status: 201,
    send: async () => {
      next += 1
      const reply = await create(url, `g${next}`)
      groupCount = Math.max(groupCount, next - 2 * clients)
      return reply
    },
  },
  'members added to one group': {
    status: 201,
    send: async () => {
      const index = memberCount
      memberCount += 1
      return call('PUT', memberUrl(index))
    },
  },
  'reads of groups': { status: 200, send: () => read(url, `g${1 + anyOf(groupCount)}`) },
  'checks in one group': {
    status: 200,
    send: () => call('GET', memberUrl(anyOf(memberCount - 2 * clients))),
  },
}

/** Requests in a second. */
async function rateOf(kind: string): Promise<number> {
  const { send, status } = KINDS[kind]!
  const startMs = performance.now()
  let count = 0
  const work = async () => {
    while (performance.now() - startMs < seconds * 1_000) {
      const reply = await send()
      assert.equal(reply.status, status, `${kind}: ${JSON.stringify(reply.body)}`)
      count += 1
    }
  }
  await Promise.all(Array.from({ length: clients }, work))
  return (count * 1_000) / (performance.now() - startMs)
}

assert.equal((await create(url, GROUP)).status, 201)
const rates = new Map<string, number[]>(Object.keys(KINDS).map((kind) => [kind, []]))
for (let round = 0; round < Number(values.rounds); round += 1)
  for (const [kind, all] of rates) all.push(await rateOf(kind))

console.log(`${clients} clients, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`)
for (const [kind, all] of rates) {
  console.log(`${kind.padEnd(28)} ${median(all).toFixed(0).padStart(7)}/s`)
}
const startMs = performance.now()
assert.equal((await remove(url, GROUP)).status, 200)
const tookMs = performance.now() - startMs
assert.equal((await call('GET', memberUrl(0))).body.code, 'group_not_found')
console.log(
  `the group with ${memberCount} members is deleted in ${tookMs.toFixed(1)} ms, and has none at once`,
)
