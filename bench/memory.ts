/**
 * What memory large groups cost: the highest resident set of each process while groups of about 60 KB are
 * created, read, listed and backed up.
 *
 *   npm run bench:memory -- [--amount 100000] [--clients 16]
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { call, forEach, read } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'

const { values } = parseArgs({
  options: {
    amount: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '16' },
  },
})
const amount = Number(values.amount)
const clients = Number(values.clients)
/** Groups that are read one by one, drawn at random. */
const READS = 20_000
const PAGE = 1_000

/** About 60 KB: 58 labels of 256 characters, each of four bytes in UTF-8. */
const labels = Object.fromEntries(
  Array.from({ length: 58 }, (_, index) => [`label-${index}`, '🦊'.repeat(256)]),
)

await using cluster = await LocalCluster.start()
const { url } = cluster.connectors[0]!

/** The highest resident set since the last call, in MB. Linux alone tells it. */
function peakOf(pid: number): number {
  const [, peak = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
  return Number(peak) / 1_000
}

function show(what: string, startMs: number): void {
  const peaks = cluster.services.map(({ name, pid }) => `${name} ${peakOf(pid!).toFixed(0)}`)
  console.log(
    `${what.padEnd(34)} ${((performance.now() - startMs) / 1_000).toFixed(0)} s  MB: ${peaks.join('  ')}`,
  )
}

async function create(groupId: string): Promise<void> {
  for (;;) {
    const { status, body } = await call('POST', `${url}/v1/group`, { groupId, labels })
    if (status === 201 || status === 409) return
    // A busy machine does not answer each in time. Each may be repeated.
    assert.ok(status === 503 || status === 504, `${status} ${JSON.stringify(body)}`)
  }
}

async function walk(path: string): Promise<number> {
  let count = 0
  for (let after = ''; ; ) {
    const { status, body } = await call('GET', `${url}${path}?limit=${PAGE}${after}`, undefined, 60_000)
    assert.equal(status, 200, JSON.stringify(body).slice(0, 300))
    count += (body.groups as unknown[]).length
    if (body.after === undefined || body.after === null) return count
    after = `&after=${encodeURIComponent(String(body.after))}`
  }
}

console.log(`${cpus().length} cores; ${amount} groups of ${JSON.stringify(labels).length} characters`)
show('started', performance.now())
const groupIds = Array.from({ length: amount }, (_, index) => `memory-${index}`)
let startMs = performance.now()
await forEach(groupIds, create, clients)
show(`created ${amount}`, startMs)
startMs = performance.now()
const drawn = Array.from({ length: READS }, () => groupIds[Math.floor(Math.random() * amount)]!)
await forEach(drawn, async (groupId) => assert.equal((await read(url, groupId)).status, 200), clients)
show(`read ${READS}`, startMs)
for (const path of ['/v1/group', '/v1/backup']) {
  startMs = performance.now()
  const count = await walk(path)
  assert.equal(count, amount)
  show(`walked ${path}`, startMs)
}
